"""Write a live configuration as an auth document that manages exactly that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.identity import UNKNOWN_REGION
from reconciler.config.quoting import quoted
from reconciler.config.schema import auth_schema, check_key
from reconciler.config.violations import ROOT_KEY
from reconciler.core.fields import FIELD, PASSWORD_POLICY, PROVIDERS
from reconciler.core.model import Path, Target
from reconciler.core.references import escape_references
from reconciler.errors import Origin

_HEADER = """\
# yaml-language-server: $schema=auth.schema.json
# 'reconciler schema auth > auth.schema.json' writes the schema, for completion and help in editors.
# What is left out is not managed: live keeps it.
"""
_CONSTRAINTS: Path = (*PASSWORD_POLICY, "AdditionalConstraints")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_A_VARIABLE = re.compile(r"[^A-Z0-9]+")


def dump_document(name: str | None, target: Target, tree: Mapping[str, Any]) -> str:
    """The text of a document.

    Args:
        name: the target's name; None leaves the default.
        target: what the document is for. An endpoint that is not on this machine is left out, since a
            document may not name one.
        tree: nested mappings in the API's shape with lists, without secrets. A provider that is there
            gets a comment where its secret's reference goes.
    """
    lines = [_HEADER.rstrip()]
    region = None if target.region == UNKNOWN_REGION else target.region
    endpoint = target.endpoint
    if endpoint is not None and check_key("endpoint_url", endpoint, Origin("", 1, 1)):
        endpoint = None
    head = {
        "name": name,
        "region": region,
        "account": target.account,
        "endpoint_url": endpoint,
        "AppId": target.app,
        "BackendEnvironmentName": target.environment,
        "ResourceName": target.resource,
    }
    lines.extend(f"{key}: {_scalar(value, '  ')}" for key, value in head.items() if value is not None)
    prefix = name or f"{target.resource}-{target.environment}"
    body = [*_Writer(prefix).mapping(tree, (), "  ")]
    lines.extend([f"{ROOT_KEY}:", *body] if body else [f"{ROOT_KEY}: {{}}"])
    return "\n".join(lines) + "\n"


class _Writer:
    """Writes nested mappings; ``prefix`` begins the names of the variables for secrets."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def mapping(self, tree: Mapping[str, Any], path: Path, indent: str) -> Iterator[str]:
        """The lines of one mapping, in the schema's order."""
        properties = _schema_at(path)["properties"]
        for key, schema in properties.items():
            below: Path = (*path, key)
            if key in tree:
                yield from self._member(key, tree[key], below, indent, _comment(below, schema))
            elif path[:-1] == PROVIDERS and below in FIELD and FIELD[below].secret:
                yield f"{indent}# {key}: ${{env:{_variable(self._prefix, *below[-2:])}}}"

    def _member(self, key: str, value: Any, path: Path, indent: str, comment: str) -> Iterator[str]:
        inner = indent + "  "
        explained = f"{indent}# {comment}"
        match value:
            case Mapping():
                lines = [*self.mapping(value, path, inner)]
                if any(not line.lstrip().startswith("#") for line in lines):
                    yield from (explained, f"{indent}{key}:", *lines)
                elif lines:
                    # With nothing but comments in it the key would stand for null, and remove the block.
                    yield from (explained, f"{indent}# {key}:", *lines)
            case list() | tuple() if value:
                yield from (
                    explained,
                    f"{indent}{key}:",
                    *(f"{inner}- {_scalar(item, inner + '  ')}" for item in value),
                )
            case list() | tuple():
                if path == _CONSTRAINTS:
                    yield from (explained, f"{indent}{key}: []")
            case _:
                yield from (explained, f"{indent}{key}: {_scalar(value, inner)}")


def _scalar(value: Any, indent: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case str():
            return quoted(escape_references(value), indent)
        case None:
            return "null"
        case _:
            return str(value)


def _schema_at(path: Path) -> dict[str, Any]:
    schema = auth_schema()["properties"][ROOT_KEY]
    for part in path:
        schema = schema["properties"][part]
    found: dict[str, Any] = schema
    return found


def _comment(path: Path, schema: Mapping[str, Any]) -> str:
    """The first sentence of the schema's description; create-only members keep all of it."""
    text = str(schema["description"])
    row = FIELD.get(path)
    return text if row is not None and row.create_only else text.split(". ", 1)[0].rstrip(".") + "."


def _variable(*words: str) -> str:
    """``SHOP_PROD_GOOGLE_CLIENT_SECRET`` from a target's name, a provider and a member."""
    parts = [_NOT_A_VARIABLE.sub("_", _WORD.sub("_", word).upper()).strip("_") for word in words]
    joined = "_".join(part for part in parts if part)
    return joined if not joined[:1].isdigit() else f"_{joined}"
