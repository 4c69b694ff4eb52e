"""Where a secret is revealed is decided here: a new place needs a line in this list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import reconciler

PACKAGE = Path(reconciler.__file__).parent
REVEALED = {
    "aws/amplify.py": 3,  # sent, and looked for in what the service says
    "cli/emulator.py": 1,  # seeded as live: the embedded backend plays the service
    "config/schema.py": 1,  # held against the rules of its place, which tell their names alone
    "core/proof.py": 2,  # the ledger's key, and what is fingerprinted with it
    "core/secret.py": 1,  # compared
    "notify/delivery.py": 2,  # a webhook's address, and what signs the body
    "secrets/resolver.py": 1,  # what was fetched becomes a part of a value
    "wiring/notifying.py": 1,  # whether there is anything to sign with
}
"""Module -> how often."""


def test_a_secret_is_revealed_in_no_other_place() -> None:
    found = {name: sum(1 for _ in _reveals(tree)) for name, tree in _modules()}
    assert {name: count for name, count in found.items() if count} == REVEALED


def test_nobody_reaches_round_it() -> None:
    reaching = {
        name
        for name, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "_value" and ast.unparse(node.value) != "self"
    }
    assert not reaching


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _reveals(tree: ast.Module) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if _is_attribute(node, "reveal"))


def _is_attribute(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name
