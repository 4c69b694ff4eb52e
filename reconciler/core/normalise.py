"""Bring any configuration into the one canonical form that is compared, fingerprinted and overlaid.

Everything that makes two spellings of the same state differ is settled here: order and duplicates of
sets, 8 / 8.0 / "8", absent and empty, settings that mean nothing, the domain's suffix, masked secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from sys import intern
from typing import Any

from reconciler.core.fields import (
    CONDITIONS,
    DOMAIN_PREFIX,
    FIELD,
    FIELDS,
    FORGOT_PASSWORD,
    NUMBERS,
    PROVIDERS,
    SECRETS,
    SHAPE,
    VERIFICATION,
    Field,
    Kind,
    Shape,
    When,
)
from reconciler.core.model import Desired, Path, Setting, Tree, dotted
from reconciler.core.references import Template
from reconciler.core.secret import Secret, SecretState
from reconciler.core.tree import ABSENT, get, means_something, put

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
    tree = _read(config, _READING, hidden)
    _put_secrets(tree, dict(config))
    return tree


def _read(source: Mapping[str, Any], reading: _Reading, hidden: frozenset[Path]) -> Tree:
    """What a part of a configuration has of the catalogue, but for the providers' secrets."""
    tree: Tree = {}
    for name, path, read, when in reading:
        value = source.get(name)
        if value is None:
            continue
        if not isinstance(read, tuple):
            value = read(value, path)
            if value is not ABSENT:
                tree[name] = Secret(value) if hidden and path in hidden else value
        elif isinstance(value, dict) and (part := _read(value, read, hidden)) and means_something(when, tree):
            tree[name] = part
    return tree


def hidden_places(desired: Desired) -> frozenset[Path]:
    """The places of free text into which a document puts a secret, or an earlier one did: what is live there is secret.

    A message of the deprecated ForgotPassword may follow that of VerificationMessage, so they hide together.
    """
    secrets = managed_by(desired).secrets
    if not secrets and not desired.hidden:
        return desired.hidden
    places = {path for path in secrets if not FIELD[path].secret} | desired.hidden
    twins = {FORGOT_PASSWORD: VERIFICATION, VERIFICATION: FORGOT_PASSWORD}
    return frozenset(places | {(*twins[path[:2]], *path[2:]) for path in places if path[:2] in twins})


class Managed(dict[Path, Setting]):
    """The settings of a document, with what is made of them: once for all documents that share them. Never changed."""

    @cached_property
    def tree(self) -> Tree:
        """See :func:`desired_tree`."""
        tree: Tree = {}
        for path, setting in self.items():
            value: Any = setting.value
            if isinstance(value, tuple) and path in FIELD:
                value = {intern(str(member.value)): True for member in value} or None
            elif type(value) is str:
                value = intern(value)
            elif value is not None and path in NUMBERS:
                value = _integer(value, path)
            put(tree, path, value)
        return tree

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the catalogue's rows that are written, or removed with what is above them."""
        return frozenset(row.name for row in FIELDS if _is_managed(self.tree, row.path))

    @cached_property
    def secrets(self) -> tuple[Path, ...]:
        """Where a secret is written, or a reference that nobody has followed."""
        return tuple(
            path
            for path, setting in self.items()
            if isinstance(setting.value, (Secret, Template)) or (path in SECRETS and setting.value is not None)
        )


def _is_managed(tree: Tree, path: Path) -> bool:
    node: Any = tree
    for part in path:
        if not isinstance(node, dict) or part not in node:
            return node is None
        node = node[part]
    return True


def managed_by(desired: Desired) -> Managed:
    """What a document manages."""
    settings = desired.settings
    return settings if isinstance(settings, Managed) else Managed(settings)


def desired_tree(desired: Desired) -> Tree:
    """The canonical tree of what a document manages; None stands at each path that is removed.

    Leaves that mean nothing under what the document itself writes are kept: only the overlay on live
    can tell. Documents may share it, so it is not to be changed.
    """
    return managed_by(desired).tree


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
    if not isinstance(get(source, PROVIDERS), dict):
        return
    read = {path: _string(get(source, path), path) for path in SECRETS}
    for path in SECRETS:
        text = read[path] or ""
        if not text and get(tree, path[:-1]) is ABSENT:
            continue
        others = tuple(v for other, v in read.items() if other != path and v)
        put(tree, path, Secret(text) if believable(text, path, others) else SecretState.UNKNOWN)


def _string(value: Any, path: Path) -> Any:
    return value if type(value) is str and value else _of_type(str, value, path)


def _text(value: Any, path: Path) -> Any:
    """One object for the same text, for the targets of a fleet are much alike: they take less, and compare faster."""
    return intern(value) if type(value) is str and value else _of_type(str, value, path)


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
    return {intern(text): True for member in members if (text := _string(member, path))} or ABSENT


def _of_type(kind: type | tuple[type, ...], value: Any, path: Path) -> Any:
    """The value, absent where nothing stands; a value of another type is in no configuration."""
    if value is ABSENT or value is None or value == "":
        return ABSENT
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Misshapen(f"{dotted(path)} is of a type that it can't have")
    return value


_Reader = Callable[[Any, Path], Any]
_Reading = tuple[tuple[str, Path, "_Reader | _Reading", When | None], ...]

_READERS: Mapping[Kind, _Reader] = {
    Kind.STRING: _text,
    Kind.CHOICE: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.CHOICES: _members,
    Kind.URIS: _members,
}


def _reading(shape: Shape, above: Path = ()) -> _Reading:
    """How each member of a mapping is read, the catalogue looked up once and for all."""
    return tuple(
        (
            name,
            (*above, name),
            _READERS[below.kind] if isinstance(below, Field) else _reading(below, (*above, name)),
            CONDITIONS.get((*above, name)),
        )
        for name, below in shape.items()
        if not isinstance(below, Field) or not below.secret
    )


_READING = _reading(SHAPE)
