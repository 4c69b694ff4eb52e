"""Read the text behind a reference: by a key of its JSON, by its field's type, and as a secret where it is one."""

from __future__ import annotations

import json
import re
from typing import Any

from reconciler.core.fields import Field, Kind
from reconciler.core.model import Scalar, dotted
from reconciler.core.references import Reference, Template
from reconciler.core.secret import Secret, looks_masked
from reconciler.errors import Origin
from reconciler.secrets.permitted import exposed
from reconciler.secrets.problems import Unresolved, diagnostic, unresolved

_INTEGER = re.compile(r"\s*([-+]?\d{1,15})(\.0*)?\s*")
_BOOLEANS = {"true": True, "false": False}


def text_at(text: str, reference: Reference, origin: Origin) -> str:
    """The text at a key of a secret that is JSON; a key that has dots itself comes before a way through mappings.

    Raises:
        Unresolved: the secret is no JSON object, has no such key, or something there that is no text or number.
    """
    key = reference.key or ""
    try:
        # Numbers keep the digits that they are written with.
        node: Any = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        hint = "leave the key out to take the secret whole"
        raise unresolved("wrong-type", reference, origin, hint, "the secret is not JSON") from None
    for part in [key] if isinstance(node, dict) and key in node else key.split("."):
        if not isinstance(node, dict) or part not in node:
            hint = f"look at the secret's keys: '{part}' is none"
            raise unresolved("unset-reference", reference, origin, hint)
        node = node[part]
    if isinstance(node, bool):
        return "true" if node else "false"
    if not isinstance(node, str):
        raise unresolved("wrong-type", reference, origin, "name a key that has text", "there is no text at this key")
    return node


def read(row: Field, template: Template, origin: Origin, text: str, *, sensitive: bool) -> Scalar | Secret:
    """A text as its field has it, secret where the field or its source makes it so.

    Raises:
        Unresolved: it can't be that.
    """
    if row.secret:
        return _secret(row, template, text, origin)
    if not sensitive:
        return _plain(row, text, origin)
    if not row.may_hide:
        raise Unresolved(exposed(template.text, row, origin))
    return Secret(text, source=template.text)


def _secret(row: Field, template: Template, text: str, origin: Origin) -> Secret:
    source = template.text
    if not text.strip():
        raise Unresolved(diagnostic("empty-secret", f"{dotted(row.path)}: {source}", origin, "set it"))
    if looks_masked(text):
        hint = "a mask that is sent becomes the secret: put the real one there"
        raise Unresolved(diagnostic("masked-secret", f"{dotted(row.path)}: {source}", origin, hint))
    if text.lstrip().startswith("{") and _is_json(text):
        hint = "name the key that is meant: ${secretsmanager:name#key}"
        raise Unresolved(diagnostic("bad-secret", f"{dotted(row.path)}: {source} is a whole JSON object", origin, hint))
    if row.path[-1] != "PrivateKey" and any(character.isspace() for character in text):
        hint = "take it out where it is kept: it would be sent as it is, and nobody could sign in"
        said = f"{dotted(row.path)}: {source} has white space or a line break in it, perhaps at its end"
        raise Unresolved(diagnostic("bad-secret", said, origin, hint))
    return Secret(text, source=source)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _plain(row: Field, text: str, origin: Origin) -> Scalar:
    """A text read by its field's type; the text itself is not quoted when it does not fit."""
    match row.kind:
        case Kind.INTEGER:
            number = _INTEGER.fullmatch(text)
            if number is None:
                detail = f"{dotted(row.path)} must be a whole number once its references are expanded."
                raise Unresolved(diagnostic("wrong-type", detail, origin))
            return int(number[1])
        case Kind.BOOLEAN:
            value = _BOOLEANS.get(text.strip().lower())
            if value is None:
                detail = f"{dotted(row.path)} must be true or false once its references are expanded."
                raise Unresolved(diagnostic("wrong-type", detail, origin))
            return value
        case _:
            return text
