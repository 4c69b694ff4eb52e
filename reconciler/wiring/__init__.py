"""The composition root: from plain data to gateways, resolver, documents and ledger. Knows no command line."""

from reconciler.wiring.choices import Connection, Selection, guards
from reconciler.wiring.services import STATE_FOLDER, Services

__all__ = ["STATE_FOLDER", "Connection", "Selection", "Services", "guards"]
