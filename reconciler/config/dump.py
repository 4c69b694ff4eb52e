"""Write a live configuration as an auth document that manages exactly that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.config.schema import check_key
from reconciler.config.violations import ROOT_KEY
from reconciler.config.ways import UNKNOWN_REGION
from reconciler.config.writing import Comments, written
from reconciler.core.fields import FIELD, PROVIDERS
from reconciler.core.model import Path, Target
from reconciler.core.references import escape_references
from reconciler.errors import Origin

_HEADER = """\
# yaml-language-server: $schema=auth.schema.json
# 'reconciler schema auth > auth.schema.json' writes the schema, for completion and help in editors.
# What is left out is not managed: live keeps it.
"""
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
    known = {key: value for key, value in head.items() if value is not None}
    prefix = name or f"{target.resource}-{target.environment}"
    return _HEADER + written(_escaped({**known, ROOT_KEY: tree}), _Explained(prefix))


class _Explained(Comments):
    """Explains what is below ``ResourceConfig``; ``prefix`` begins the names of the variables for secrets."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def above(self, place: Path, schema: Mapping[str, Any]) -> str | None:
        """What a setting or a block is for."""
        return _comment(place[1:], schema) if len(place) > 1 else None

    def instead(self, place: Path) -> str | None:
        """Where the reference to a provider's secret goes."""
        path = place[1:]
        if path[:-2] != PROVIDERS or path not in FIELD or not FIELD[path].secret:
            return None
        return f"{path[-1]}: ${{env:{_variable(self._prefix, *path[-2:])}}}"


def _escaped(value: Any) -> Any:
    """The same with every text written so that it reads back as itself."""
    match value:
        case Mapping():
            return {key: _escaped(below) for key, below in value.items()}
        case list() | tuple():
            return [_escaped(item) for item in value]
        case str():
            return escape_references(value)
        case _:
            return value


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
