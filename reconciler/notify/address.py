"""Where a webhook may be: at a host that the project names, behind TLS or on this machine."""

from __future__ import annotations

import re
from collections.abc import Collection

_ADDRESS = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+)(?P<port>:\d{1,5})?(?P<rest>[/?][!-~]*)?")
"""Without a user, and without whatever two readers of an address may read in two ways."""
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}")


def refusal(url: str, hosts: Collection[str], *, only_loopback: bool = False) -> str | None:
    """Why nothing may be sent to an address, in words that tell nothing of it; None where it may.

    Args:
        url: the address.
        hosts: names of hosts; one that begins with a dot stands for all names below it, and not for itself.
        only_loopback: whether none but this machine may be told.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None or "#" in url or "\\" in url:
        return "its url is not of the form https://host/path"
    host = found["host"].lower().rstrip(".")
    loopback = _LOOPBACK.fullmatch(host) is not None
    if found["scheme"] != "https" and not loopback:
        return "its url must begin with https"
    if not any(_is_at(host, known.lower()) for known in hosts):
        return "its host is not in notify_hosts"
    if only_loopback and not loopback:
        return "the embedded backend tells only this machine of its drift"
    return None


def _is_at(host: str, known: str) -> bool:
    return host.endswith(known) if known.startswith(".") else host == known
