"""References become values just before they are needed: from this machine, and from what was fetched from AWS."""

from reconciler.secrets.problems import CODES
from reconciler.secrets.resolver import Resolver, Way

__all__ = ["CODES", "Resolver", "Way"]
