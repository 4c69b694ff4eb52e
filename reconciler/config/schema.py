"""The published JSON schemas: where they are, and checks of whole documents and of single values by them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from reconciler.config.codes import problem
from reconciler.config.rules import Finding, value_findings
from reconciler.config.violations import ROOT_KEY, Place, findings_of
from reconciler.core.fields import FIELD
from reconciler.core.model import Desired, Path, Scalar, dotted
from reconciler.core.secret import Secret
from reconciler.errors import Diagnostic, Origin

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

AUTH, PROJECT = "auth", "project"
"""The schemas of what people write."""

_API_KEYS = frozenset({"AppId", "BackendEnvironmentName", "ResourceName", "ResourceConfig"})


def schema_text(name: str) -> str:
    """The text of a shipped schema, for example ``auth``.

    Raises:
        FileNotFoundError: no schema has this name.
    """
    file = f"{name}.schema.json"
    packaged = resources.files("reconciler") / "schemas" / file
    if packaged.is_file():
        return packaged.read_text("utf-8")
    # In a checkout, or installed editable, the schemas stand beside the package.
    return (FilePath(__file__).parents[2] / "schemas" / file).read_text("utf-8")


@cache
def schema_of(name: str) -> dict[str, Any]:
    """A shipped schema, for example that of auth documents; not to be changed."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


def shape_findings(document: Any, name: str = AUTH) -> Iterator[tuple[Place, Finding]]:
    """Each violation of a schema: the path of keys and indexes, and what is wrong there."""
    for error in _validator(name).iter_errors(document):
        yield from findings_of(error)


def check_setting(path: Path, value: Scalar | None, origin: Origin, *, excerpt: str | None = None) -> list[Diagnostic]:
    """Check one literal value, for example after its references were expanded.

    ``path`` is that of a leaf below ``ResourceConfig``; a list's members are checked one by one, with the
    list's path. A secret field and None have no rules here.
    """
    return _check_leaf((ROOT_KEY, *path), value, origin, excerpt)


def check_key(key: str, value: Scalar, origin: Origin, *, excerpt: str | None = None) -> list[Diagnostic]:
    """Check the literal value of a top-level key such as ``region`` after its references were expanded."""
    return _check_leaf((key,), value, origin, excerpt)


def check_expanded(written: Desired, expanded: Desired) -> list[Diagnostic]:
    """Check every value that was a reference in ``written`` and is literal in ``expanded``."""
    problems: list[Diagnostic] = []
    for path, setting in expanded.settings.items():
        before = written.settings[path]
        if before == setting:
            continue
        members = setting.value if isinstance(setting.value, tuple) else (setting,)
        for member in members:
            if isinstance(member.value, (str, bool, int, float)):
                problems.extend(check_setting(path, member.value, member.origin))
            elif isinstance(member.value, Secret) and not FIELD[path].secret:
                problems.extend(_check_hidden(path, member.value, member.origin))
    return [replace(found, target=written.name) for found in problems]


def _check_hidden(path: Path, secret: Secret, origin: Origin) -> list[Diagnostic]:
    """The rules of free text for a secret that stands there; what is wrong is told without a word about the value."""
    detail = f"{dotted(path)}: what {secret.source} holds breaks this rule."
    codes = dict.fromkeys(found.code for found in check_setting(path, secret.reveal(), origin))
    return [problem(code, origin, detail) for code in codes]


def looks_like_auth(keys: frozenset[str]) -> bool:
    """Whether a mapping with these keys is meant to be an auth document, misspelt keys included."""
    if "extends" in keys or keys & _API_KEYS:
        return True
    meant = {key.lower() for key in _API_KEYS}
    return any(re.sub(r"[-_ ]", "", key).lower() in meant for key in keys)


def _check_leaf(path: Path, value: Scalar | None, origin: Origin, excerpt: str | None) -> list[Diagnostic]:
    row = FIELD.get(path[1:])
    if value is None or (row is not None and row.secret):
        return []
    findings = [
        finding for error in _leaf_validator(path).iter_errors(value) for _, finding in findings_of(error, below=path)
    ]
    return [
        problem(finding.code, origin, finding.detail, hint=finding.hint, excerpt=excerpt)
        for finding in findings or value_findings(path, value)
    ]


@cache
def _validator(name: str) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema_of(name))


@cache
def _leaf_validator(path: Path) -> Validator:
    """The rules of one literal value; a reference is no alternative here."""
    from jsonschema import Draft202012Validator

    schema: Any = schema_of(AUTH)
    for part in path:
        schema = schema["properties"][part]
    # A list's members are checked one by one, and so are the values of labels.
    schema = schema.get("items") or schema.get("additionalProperties") or schema
    return Draft202012Validator(schema["anyOf"][0] if "anyOf" in schema else schema)
