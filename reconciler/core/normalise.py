"""Bring any configuration into the one canonical form that is compared, fingerprinted and overlaid.

Everything that makes two spellings of the same state differ is settled here: order and duplicates of
sets, 8 / 8.0 / "8", absent and empty, settings that mean nothing, the domain's suffix, masked secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.core.fields import DOMAIN_PREFIX, FIELD, FIELDS, FORGOT_PASSWORD, SECRETS, VERIFICATION, Field, Kind
from reconciler.core.model import Desired, Path, Tree, dotted
from reconciler.core.references import Template
from reconciler.core.secret import Secret, SecretState
from reconciler.core.tree import ABSENT, drop_meaningless, get, put

_RUN_OF_MASK = re.compile(r"[*•●∙·xX.]{3}|([^A-Za-z0-9])\1\1|^[<\[({].*[>\])}]$", re.DOTALL)
_WORD_OF_MASK = re.compile(r"redacted|masked|hidden|sensitive", re.IGNORECASE)
_PEM = re.compile(r"\s*-----BEGIN [A-Z ]+-----(.*)-----END [A-Z ]+-----\s*\Z", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{100,}\Z")
_SHORTEST_SECRET = 8


class Misshapen(ValueError):
    """A configuration that was read has a value of a type that it can't have; the value is not in the text."""


def live_tree(config: Mapping[str, Any], hidden: frozenset[Path] = frozenset()) -> Tree:
    """The canonical tree of a ``ResourceConfig`` as the service returned it.

    Secrets become :class:`Secret` where they are believable, and :attr:`SecretState.UNKNOWN` where the
    provider is there and its secret is masked or withheld. The domain prefix stays as it was read: see
    :func:`settle_domain`.

    Args:
        config: what was read.
        hidden: places of free text that hold secrets of this target: see :func:`hidden_places`.

    Raises:
        Misshapen: a value has another type than its field.
    """
    tree: Tree = {}
    source = dict(config)
    for row in FIELDS:
        value = get(source, row.path)
        if row.secret:
            continue
        value = _READERS[row.kind](value, row.path)
        if value is not ABSENT:
            put(tree, row.path, Secret(value) if row.path in hidden else value)
    _put_secrets(tree, source)
    drop_meaningless(tree)
    return tree


def hidden_places(desired: Desired) -> frozenset[Path]:
    """The places of free text into which a document puts a secret, or an earlier one did: what is live there is secret.

    A message of the deprecated ForgotPassword may follow that of VerificationMessage, so they hide together.
    """
    places = {
        path
        for path, setting in desired.settings.items()
        if isinstance(setting.value, (Secret, Template)) and not FIELD[path].secret
    }
    places |= desired.hidden
    twins = {FORGOT_PASSWORD: VERIFICATION, VERIFICATION: FORGOT_PASSWORD}
    return frozenset(places | {(*twins[path[:2]], *path[2:]) for path in places if path[:2] in twins})


def desired_tree(desired: Desired) -> Tree:
    """The canonical tree of what a document manages; None stands at each path that is removed.

    Leaves that mean nothing under what the document itself writes are kept: only the overlay on live
    can tell.
    """
    tree: Tree = {}
    for path, setting in desired.settings.items():
        value: Any = setting.value
        row = FIELD.get(path)
        if row is not None and isinstance(value, tuple):
            members = {str(member.value): True for member in value}
            put(tree, path, members or None)
        elif row is not None and row.kind is Kind.INTEGER and value is not None:
            put(tree, path, _integer(value, path))
        else:
            put(tree, path, value)
    return tree


def settle_domain(read: str, environment: str, hosted_domain: str | None) -> tuple[str, bool]:
    """The written domain prefix behind the one that was read, and whether that is certain.

    Only a value that ends in ``-<environment>`` is in doubt, and the hosted UI's domain decides: equal
    to what was read means that the read added the suffix, equal to it plus the suffix that it did not.
    """
    suffix = f"-{environment}"
    if not read.endswith(suffix) or read == suffix:
        return read, True
    if hosted_domain == read:
        return read[: -len(suffix)], True
    if hosted_domain == read + suffix:
        return read, True
    return read, False


def domain_in_doubt(tree: Tree, environment: str) -> bool:
    """Whether the hosted UI's domain must be looked up to know the written prefix."""
    read = get(tree, DOMAIN_PREFIX)
    return isinstance(read, str) and not settle_domain(read, environment, None)[1]


def same_name(row: Field, live: str, written: str, environment: str) -> bool:
    """Whether two names are the same but for the environment that a read may append."""
    if live == written:
        return True
    if row.synonym is None:
        return False
    return live == row.synonym.format(name=written, environment=environment) or written == row.synonym.format(
        name=live, environment=environment
    )


def believable(value: str, path: Path, others: tuple[str, ...]) -> bool:
    """Whether a value that stands where a secret is read can be the secret, and no mask.

    A mask that is taken for a secret and sent back becomes the secret; so whatever looks like one counts
    as unknown. ``others`` are the values read for the other providers: a mask is the same everywhere.
    """
    if path[-1] == "PrivateKey":
        return _BASE64.match(_PEM.sub(r"\1", value)) is not None
    masked = _RUN_OF_MASK.search(value) or _WORD_OF_MASK.search(value)
    return len(value) >= _SHORTEST_SECRET and not masked and value not in others


def _put_secrets(tree: Tree, source: Tree) -> None:
    read = {path: _string(get(source, path), path) for path in SECRETS}
    for path in SECRETS:
        text = read[path] or ""
        if not text and get(tree, path[:-1]) is ABSENT:
            continue
        others = tuple(v for other, v in read.items() if other != path and v)
        put(tree, path, Secret(text) if believable(text, path, others) else SecretState.UNKNOWN)


def _string(value: Any, path: Path) -> Any:
    return _of_type(str, value, path)


def _boolean(value: Any, path: Path) -> Any:
    return _of_type(bool, {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value, path)


def _integer(value: Any, path: Path) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,15}(\.\d+)?\s*", value):
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _of_type((int, float), value, path)


def _members(value: Any, path: Path) -> Any:
    members = _of_type((list, tuple), value, path) or ()
    return {member: True for member in members if _string(member, path)} or ABSENT


def _of_type(kind: type | tuple[type, ...], value: Any, path: Path) -> Any:
    """The value, absent where nothing stands; a value of another type is in no configuration."""
    if value is ABSENT or value is None or value == "":
        return ABSENT
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Misshapen(f"{dotted(path)} is of a type that it can't have")
    return value


_READERS: Mapping[Kind, Callable[[Any, Path], Any]] = {
    Kind.STRING: _string,
    Kind.CHOICE: _string,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.CHOICES: _members,
    Kind.URIS: _members,
}
