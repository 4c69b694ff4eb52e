"""Violations of the schema in words of our own.

jsonschema's messages quote what was written, which may be a secret; so none of them is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.config.masking import masked_lines
from reconciler.config.rules import Finding, spelling_hint
from reconciler.core.fields import BLOCK, FIELD
from reconciler.core.model import Path, dotted
from reconciler.core.secret import looks_masked

if TYPE_CHECKING:
    from jsonschema import ValidationError

ROOT_KEY = "ResourceConfig"

Place = tuple[str | int, ...]
"""Keys and indexes from the top of the document."""

_PATTERN_CODES = {
    "SmsMessage": "missing-placeholder",
    "EmailMessage": "missing-placeholder",
    "DomainPrefix": "bad-domain-prefix",
    "RedirectSignInURIs": "bad-redirect",
    "RedirectSignOutURIs": "bad-redirect",
    "endpoint_url": "bad-endpoint",
    "name": "bad-name",
    "expires": "bad-date",
}
_LENGTHS = {
    "minLength": ("too-short", "{name} must have at least {limit} characters."),
    "maxLength": ("too-long", "{name} has {length} characters; {limit} are allowed."),
    "maxItems": ("too-many-items", "{name} has {length} items; {limit} are allowed."),
}
_TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_REFERENCE = "reference"
_MOST_KEYS_LISTED = 12
_LONGEST_KEY_SHOWN = 64
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class _Violation:
    """What a violation says, without jsonschema's words."""

    place: Place
    keyword: str
    limit: Any
    value: Any
    rule: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The keys of the place."""
        return tuple(part for part in self.place if isinstance(part, str))

    @property
    def below(self) -> Path:
        """The path below ``ResourceConfig``; empty for everything else."""
        return self.path[1:] if self.path[:1] == (ROOT_KEY,) else ()


def findings_of(error: ValidationError, below: Path = ()) -> Iterator[tuple[Place, Finding]]:
    """What one of jsonschema's errors means, and where; ``below`` is where its schema was taken from."""
    if error.validator == "anyOf":
        for inner in _meant_alternative(error.context or ()):
            yield from findings_of(inner, below)
        return
    violation = _Violation(
        (*below, *error.absolute_path),
        str(error.validator),
        error.validator_value,
        error.instance,
        error.schema if isinstance(error.schema, Mapping) else {},
    )
    if violation.keyword == "enum" and not isinstance(violation.value, str):
        return  # a choice is text: the wrong type is told already
    if violation.keyword != "additionalProperties":
        yield violation.place, _finding(violation)
        return
    known = violation.rule["properties"]
    for key in violation.value:
        if key not in known:
            yield (*violation.place, key), _unknown_key(key, violation.path, known)


def _meant_alternative(errors: Sequence[ValidationError]) -> Sequence[ValidationError]:
    """The errors of the alternative whose type fits, else of the first one; nobody meant a reference."""
    alternatives: dict[object, list[ValidationError]] = {}
    for error in errors:
        if not (isinstance(error.schema, Mapping) and error.schema.get("title") == _REFERENCE):
            alternatives.setdefault(error.schema_path[0], []).append(error)
    fitting = (
        alternative
        for alternative in alternatives.values()
        if not any(error.validator == "type" and not error.path for error in alternative)
    )
    return next(fitting, None) or next(iter(alternatives.values()))


def _finding(violation: _Violation) -> Finding:
    """What a violation is called here."""
    row = FIELD.get(violation.below)
    if row is not None and row.secret and isinstance(violation.value, (str, int, float)):
        return _secret_in_clear(str(violation.value), row.path)
    name, limit, value = dotted(violation.path), violation.limit, violation.value
    hint = ""
    match violation.keyword:
        case "type" if value is None:
            code, detail, hint = "null-not-allowed", name, _instead(violation.below)
        case "type":
            names = [limit] if isinstance(limit, str) else limit
            wanted = " or ".join(_TYPE_NAMES[wanted] for wanted in names)
            code, detail, hint = "wrong-type", f"{name} must be {wanted}.", _type_hint(names[0], value)
        case "enum":
            code, detail = "not-allowed-value", name
            hint = spelling_hint(value, limit) or f"one of: {', '.join(limit)}"
        case "minimum" | "maximum":
            code = "out-of-range"
            detail = f"{name} must be from {violation.rule['minimum']} to {violation.rule['maximum']}."
            hint = "put the account in quotes, with its leading zeros" if name == "account" else ""
        case "minLength" | "maxLength" | "maxItems":
            code, wording = _LENGTHS[violation.keyword]
            detail = wording.format(name=name, limit=limit, length=len(value))
        case "minItems":
            code, detail, hint = "empty-list", name, _instead(violation.below)
        case "minProperties":
            code, detail = "empty-block", name
        case "required":
            missing = [key for key in limit if key not in value]
            code, detail = "missing-key", f"{', '.join(missing)} in {name}"
        case _:
            code = _PATTERN_CODES.get(violation.path[-1], "bad-pattern")
            detail = f"{name}: {violation.rule['patternErrorMessage']}"
    return Finding(code, detail, hint)


def _secret_in_clear(value: str, path: Path) -> Finding:
    if not value.strip():
        return Finding("bad-reference", dotted(path), "write a reference such as ${env:NAME}, or remove the line")
    if looks_masked(value):
        hint = "remove the line: the secret that is live stays; or write a reference to where it lives"
        return Finding("masked-secret", dotted(path), hint)
    hint = "write a reference such as ${env:NAME}, and replace this secret: whoever reads the file knows it"
    return Finding("plaintext-secret", dotted(path), hint)


def _unknown_key(key: str, above: Path, known: Mapping[str, Any]) -> Finding:
    hint = spelling_hint(key, known)
    where = dotted(above)
    key = masked_lines([key[:_LONGEST_KEY_SHOWN]])[0]  # 'ClientSecret:value' without a space is a key
    detail = f"'{key}' is not known in {where}." if where else f"'{key}' is not known here."
    if not hint:
        homes = [path for path in (*FIELD, *BLOCK) if path[-1] == key]
        if len(homes) == 1:
            hint = f"it belongs to {dotted((ROOT_KEY, *homes[0][:-1]))}"
    if not hint and len(known) <= _MOST_KEYS_LISTED:
        hint = f"known here: {', '.join(known)}"
    return Finding("unknown-key", detail, hint, at_key=True)


def _instead(path: Path) -> str:
    row = FIELD.get(path) or BLOCK.get(path)
    return row.instead if row and row.instead else "leave it out"


def _type_hint(wanted: str, value: Any) -> str:
    match wanted, value:
        case "string", bool() | int() | float():
            return "put it in quotes"
        case "integer", str() if _NUMBER.fullmatch(value):
            return "leave the quotes out"
        case "boolean", str() | int():
            return "write true or false, without quotes"
        case "array", str():
            return "write [...], or each item in a line of its own that begins with '- '"
        case _:
            return ""
