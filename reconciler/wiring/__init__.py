"""The composition root: from plain data to gateways, resolver, documents and ledger. Knows no command line."""

from reconciler.wiring.choices import Connection, Follow, Selection, guards
from reconciler.wiring.locating import UNCHECKED_ACCOUNT, Located
from reconciler.wiring.place import STATE_FOLDER
from reconciler.wiring.services import Services

__all__ = [
    "STATE_FOLDER",
    "UNCHECKED_ACCOUNT",
    "Connection",
    "Follow",
    "Located",
    "Selection",
    "Services",
    "guards",
]
