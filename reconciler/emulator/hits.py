"""Which request a fault hits: by count, by chance, and by rate."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from reconciler.emulator.faults import Fault
from reconciler.emulator.store import Document, Row, Transaction

_CHANCE = "chance"
_BUCKET = "bucket"


def stage(transaction: Transaction, new: Iterable[Fault], seed: int) -> None:
    """Put faults in place of those still to come, and let chance begin anew with `seed`."""
    for row in transaction.faults():
        transaction.delete_fault(row.number)
    begin = {"seed": seed, "request": transaction.newest("requests"), "fault": transaction.newest("faults")}
    transaction.put_setting(_CHANCE, json.dumps(begin))
    for fault in new:
        transaction.add_fault(fault.document())


def to_come(transaction: Transaction) -> tuple[Fault, ...]:
    """Return the faults that are still to come."""
    return tuple(_stored(row)[0] for row in transaction.faults())


def take(
    transaction: Transaction,
    kinds: tuple[str, ...],
    operation: str,
    request: Mapping[str, Any],
    *,
    number: int,
    now: float,
) -> Fault | None:
    """Return the first fault of these kinds that hits the request, and count the hit.

    Args:
        transaction: The state.
        kinds: The kinds looked for.
        operation: The API operation's name.
        request: The request in API names.
        number: The request's number, different for each.
        now: Seconds since the epoch.
    """
    app, environment = request.get("AppId", ""), request.get("BackendEnvironmentName", "")
    for row in transaction.faults():
        fault, bucket = _stored(row)
        if fault.kind not in kinds or not fault.hits(operation, app, environment):
            continue
        if fault.rate:
            within, bucket = _drawn(fault, bucket, now)
            _put(transaction, row.number, fault, bucket)
            if within:
                continue
        if not _chosen(transaction, fault, row.number, number):
            continue
        if fault.skip:
            _put(transaction, row.number, replace(fault, skip=fault.skip - 1), bucket)
            continue
        if fault.times == 1:
            transaction.delete_fault(row.number)
        elif fault.times:
            _put(transaction, row.number, replace(fault, times=fault.times - 1), bucket)
        return fault
    return None


def _stored(row: Row) -> tuple[Fault, Document | None]:
    """Return a stored fault, and its bucket where it has one already."""
    document = dict(row.document)
    bucket: Document | None = document.pop(_BUCKET, None)
    return Fault(**document), bucket


def _put(transaction: Transaction, number: int, fault: Fault, bucket: Document | None) -> None:
    document = fault.document()
    transaction.put_fault(Row(number, document if bucket is None else {**document, _BUCKET: bucket}))


def _drawn(fault: Fault, bucket: Document | None, now: float) -> tuple[bool, Document]:
    """Return whether the token bucket had a token for this request, and the bucket afterwards."""
    tokens, at = (float(fault.burst), now) if bucket is None else (bucket["tokens"], bucket["at"])
    # Clocks of several processes may differ, and one that goes back must not take tokens away.
    tokens = min(float(fault.burst), tokens + max(0.0, now - at) * fault.rate)
    within = tokens >= 1
    return within, {"tokens": tokens - 1 if within else tokens, "at": max(at, now)}


def _chosen(transaction: Transaction, fault: Fault, number: int, request: int) -> bool:
    """Return whether chance, which only depends on the seed and on what came since it was set, hits the request."""
    if fault.probability == 1:
        return True
    begin = json.loads(transaction.setting(_CHANCE) or '{"seed": 0, "request": 0, "fault": 0}')
    text = f"{begin['seed']} {request - begin['request']} {number - begin['fault']}"
    share = int.from_bytes(sha256(text.encode()).digest()[:8], "big") / 2**64
    return bool(share < fault.probability)
