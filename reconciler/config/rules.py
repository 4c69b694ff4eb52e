"""Rules for values and for how they fit together, which a JSON schema can't say well.

The service would break them minutes later, in a job (rules of Amazon Cognito and of the Amplify CLI).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.core.fields import (
    BLOCKS,
    DOMAIN_PREFIX,
    FIELD,
    FIELDS,
    FORGOT_PASSWORD,
    OAUTH,
    PASSWORD_POLICY,
    PROVIDERS,
    VERIFICATION,
    Block,
    Kind,
    When,
)
from reconciler.core.model import Path, Setting, dotted

LONGEST_DOMAIN = 63

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MANY_LINES = frozenset({"EmailMessage", "SmsMessage"})
_HOSTS_WITHOUT_TLS = frozenset({"localhost", "127.0.0.1", "::1"})
_RESERVED = ("aws", "amazon", "cognito")
_SCOPES: Path = (*OAUTH, "OAuthScopes")
_NEED_OPENID = frozenset({"PHONE", "EMAIL", "PROFILE"})
_CONSTRAINTS: Path = (*PASSWORD_POLICY, "AdditionalConstraints")
_EMPTY_LIST_IS_NOTHING = frozenset({"RequiredSignUpAttributes"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, not yet tied to a place; ``at_key`` when the key is to blame, not the value."""

    code: str
    detail: str = ""
    hint: str = ""
    at_key: bool = False


Placed = tuple[Path, Finding]
"""A finding and the path below ``ResourceConfig`` where it is; an item of a list has its index last."""


def spelling_hint(written: str, known: Iterable[str]) -> str:
    """'did you mean ...?' when something known is spelt much alike, otherwise nothing."""
    by_fold = {_fold(word): word for word in known}
    close = difflib.get_close_matches(_fold(written), by_fold, n=1, cutoff=0.75)
    return f"did you mean '{by_fold[close[0]]}'?" if close else ""


def value_findings(path: Path, value: Any) -> Iterator[Finding]:
    """What is wrong with one literal value beyond the schema; ``path`` is from the top of the document."""
    if not isinstance(value, str):
        return
    name = dotted(path)
    if path[-1] not in _MANY_LINES and _CONTROL.search(value):
        yield Finding("control-character", name)
        return
    if path[-1] in {"RedirectSignInURIs", "RedirectSignOutURIs"}:
        yield from _redirect(name, value)
    elif path[-1] == "DomainPrefix":
        for word in _RESERVED:
            if word in value:
                yield Finding("bad-domain-prefix", f"'{word}' is reserved: a prefix can't have it in it.")


def document_findings(config: MappingNode) -> Iterator[Placed]:
    """What is wrong with how the settings of one document, as written, fit together."""
    if _find(config, FORGOT_PASSWORD) is not None:
        yield FORGOT_PASSWORD, Finding("deprecated", hint="write VerificationMessage", at_key=True)
    yield from _without_effect(config)
    for block in BLOCKS:
        node = _find(config, block.path)
        if isinstance(node, MappingNode) and not node.entries:
            yield from _empty_block(block, config)
    for row in FIELDS:
        node = _find(config, row.path)
        if isinstance(node, ListNode):
            yield from _list(row.path, node, config)


def merged_findings(settings: Mapping[Path, Setting], environment: str | None) -> Iterator[Placed]:
    """What is wrong with a target once its layers are merged."""
    for row in FIELDS:
        if row.path[:2] != FORGOT_PASSWORD:
            continue
        twin: Path = (*VERIFICATION, *row.path[2:])
        old, new = settings.get(row.path), settings.get(twin)
        if old is not None and new is not None and old.value != new.value:
            yield (
                row.path,
                Finding("forgot-password-differs", hint="leave ForgotPassword out, or write the same in both"),
            )
            break
    prefix = settings.get(DOMAIN_PREFIX)
    if prefix is not None and isinstance(prefix.value, str) and environment is not None:
        length = len(prefix.value) + 1 + len(environment)
        if length > LONGEST_DOMAIN:
            detail = f"With '-' and the environment it has {length} characters; {LONGEST_DOMAIN} are allowed."
            yield DOMAIN_PREFIX, Finding("bad-domain-prefix", detail)


def manages_nothing(path: Path, node: Node) -> bool:
    """Whether a list is written empty where that is no order to empty anything."""
    return isinstance(node, ListNode) and not node.items and path != _CONSTRAINTS


def _fold(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def _redirect(name: str, value: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        yield Finding("bad-redirect", f"{name}: the host can't be read.")
        return
    if parts.scheme == "http" and host not in _HOSTS_WITHOUT_TLS:
        hint = "https; http is allowed for localhost, 127.0.0.1 and [::1] only"
        yield Finding("bad-redirect", f"{name}: http is not secure.", hint)
    elif parts.scheme == "https" and not host:
        yield Finding("bad-redirect", f"{name}: there is no host.")
    elif not value.endswith("/"):
        hint = "write the slash: the Amplify CLI asks for it"
        yield Finding("redirect-trailing-slash", name, hint)


def _without_effect(config: MappingNode) -> Iterator[Placed]:
    said: set[Path] = set()
    for row in FIELDS:
        block = row.path[:-1]
        if row.when is None or block in said or _find(config, row.path) is None:
            continue
        if _is_off(row.when, config):
            node = _find(config, row.path)
            if node is not None and manages_nothing(row.path, node):
                continue
            said.add(block)
            wanted = ("not " if row.when.unless else "") + " or ".join(sorted(row.when.values))
            detail = f"{block[-1]} needs {row.when.path[-1]} to be {wanted}."
            yield block, Finding("no-effect", detail, "leave it out", at_key=True)


def _empty_block(block: Block, config: MappingNode) -> Iterator[Placed]:
    key = block.path[-1]
    if block.path == PROVIDERS:
        yield block.path, Finding("empty-mapping", hint=block.instead, at_key=True)
        return
    conditions = [row.when for row in FIELDS if row.path[: len(block.path)] == block.path]
    if all(when is not None and _is_off(when, config) for when in conditions):
        return
    removal = f"write '{key}: null' to remove it, or leave it out to keep what is live"
    hint = removal if block.removal else block.instead
    yield block.path, Finding("empty-block", f"{key} is empty.", hint, at_key=True)


def _list(path: Path, node: ListNode, config: MappingNode) -> Iterator[Placed]:
    row = FIELD[path]
    if not node.items and path != _CONSTRAINTS and path[-1] not in _EMPTY_LIST_IS_NOTHING:
        # The schema refuses the other empty lists; this one depends on its neighbour.
        if row.kind is Kind.CHOICES and row.when is not None and not _is_off(row.when, config):
            yield path, Finding("empty-list", dotted(path), row.instead)
        return
    seen: set[str] = set()
    for index, item in enumerate(node.items):
        if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
            continue
        if item.value in seen:
            yield (*path, str(index)), Finding("duplicate-item", dotted(path), "remove one")
        seen.add(item.value)
    is_literal = not any("${" in value for value in seen)
    if path == _SCOPES and is_literal and seen & _NEED_OPENID and "OPENID" not in seen:
        yield path, Finding("openid-missing", dotted(path), "add OPENID")


def _is_off(when: When, config: MappingNode) -> bool:
    """Whether the document itself says that a leaf with this condition means nothing."""
    node = _find(config, when.path)
    return (
        isinstance(node, ScalarNode)
        and isinstance(node.value, str)
        and "${" not in node.value
        and (node.value in when.values) is when.unless
    )


def _find(config: MappingNode, path: Path) -> Node | None:
    node: Node | None = config
    for part in path:
        if not isinstance(node, MappingNode):
            return None
        node = node.get(part)
    return node
