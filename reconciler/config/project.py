"""The project file ``reconciler.yaml``: what a project says once, so far where its ledger and the key of it are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.config.discovery import PROJECT_FILE
from reconciler.config.document import compose
from reconciler.config.masking import masked_lines
from reconciler.config.nodes import MappingNode, Node, ScalarNode
from reconciler.config.source import Source, read_file
from reconciler.core.references import ReferenceSyntax, Template, parse_references
from reconciler.core.store import is_address, parse_location
from reconciler.errors import Diagnostic, InputProblem, Origin

_KEYS = ("ledger", "ledger_key")
_KEY_HINT = "write a reference and nothing else, such as ${ssm:/reconciler/ledger-key}"
_PLACES = "write a folder, or s3://bucket/prefix"


@dataclass(frozen=True, slots=True)
class Written:
    """A reference, and where it is written."""

    template: Template
    origin: Origin


@dataclass(frozen=True, slots=True)
class Project:
    """What the project file says.

    ``ledger`` is a folder, or ``s3://bucket/prefix``. ``ledger_key`` tells where the key of the
    secrets' fingerprints is.
    """

    ledger: str | None = None
    ledger_key: Written | None = None


def read_project(root: Path) -> Project:
    """The project file of a folder; one that is not there, or is empty, says nothing.

    Raises:
        InputProblem: it can't be read, or says something else than it may.
    """
    path = root / PROJECT_FILE
    if not os.path.lexists(path):  # a link that leads nowhere can't be read
        return Project()
    name = str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    read = read_file(name, path, path)
    if isinstance(read, Diagnostic):
        raise InputProblem((read,))
    documents, problems = compose(read)
    if not problems and len(documents) > 1:
        problems = (read.problem("wrong-type", documents[1].origin, "The project file is one mapping."),)
    if problems:
        raise InputProblem(problems)
    return _project(read, documents[0]) if documents else Project()


def _project(source: Source, node: Node) -> Project:
    if not isinstance(node, MappingNode):
        raise InputProblem((source.problem("wrong-type", node.origin, "The project file is a mapping."),))
    problems: list[Diagnostic] = []
    found: dict[str, Any] = {}
    for key, entry in node.entries.items():
        value = entry.node.value if isinstance(entry.node, ScalarNode) else None
        if key not in _KEYS:
            shown = masked_lines([key])[0]
            problems.append(source.problem("unknown-key", entry.key, shown, hint=f"the keys are {', '.join(_KEYS)}"))
        elif key == "ledger_key":
            template, wrong = _secret(value)
            problems += [source.problem(wrong, entry.node.origin, key, hint=_KEY_HINT)] if wrong else []
            found[key] = Written(template, entry.node.origin) if template is not None else None
        elif not isinstance(value, str) or not value:
            problems.append(source.problem("wrong-type", entry.node.origin, f"{key} is text.", hint=_PLACES))
        elif odd := _odd(value):
            problems.append(source.problem("bad-pattern", entry.node.origin, odd, hint=_PLACES))
        else:
            found[key] = value
    if problems:
        raise InputProblem(tuple(problems))
    return Project(**found)


def _secret(value: object) -> tuple[Template | None, str]:
    """A reference that stands for a secret, or the code of what is wrong with it."""
    if not isinstance(value, str):
        return None, "wrong-type"
    try:
        template = parse_references(value)
    except ReferenceSyntax:
        return None, "bad-reference"
    if not isinstance(template, Template) or template.tells:
        return None, "plaintext-secret"
    return template, ""


def _odd(place: str) -> str:
    """What is wrong with a place that is written as an address; empty where nothing is, as for a folder."""
    if is_address(place):
        try:
            parse_location(place)
        except ValueError as problem:
            return str(problem)
    return ""
