"""What an unchanged target shares, and the steps that it skips, can't be told from a plan made the long way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.config.desired import Defaults, load
from reconciler.core import policy
from reconciler.core.fields import BLOCKS, FIELDS, Field
from reconciler.core.model import Desired, Live, Mark, Tree
from reconciler.core.normalise import desired_tree, live_tree
from reconciler.core.planfile import fingerprint
from reconciler.core.proof import Proofs, standings
from reconciler.core.references import escape_references
from reconciler.core.request import overlay
from reconciler.core.secret import SecretState
from reconciler.core.targetplan import prepare
from reconciler.core.tree import ABSENT, as_api, copied, drop, get, holds, leaves, put
from reconciler.core.wholeness import wholeness
from reconciler.errors import InputProblem
from reconciler.secrets.resolver import Resolver
from tests.laws.conftest import as_document
from tests.laws.strategies import Written, configurations, documents, shuffled

pytestmark = pytest.mark.broad

HIDDEN = {"ClientSecret", "PrivateKey"}


def managed(written: Written) -> Desired:
    """The document, its secrets resolved."""
    text = as_document(written.config).encode()
    loaded = load(["-"], defaults=Defaults(), environ={}, stdin=lambda: text)
    assert loaded.errors == ()
    return Resolver(written.environ, Path()).expand(loaded.desired[0])[0]


def by_reference(config: Any, environ: dict[str, str], name: str = "") -> Any:
    """A configuration as a document writes it."""
    match config:
        case dict():
            written = {key: by_reference(below, environ, key) for key, below in config.items() if key not in HIDDEN}
            for key in HIDDEN & set(config):
                environ[name] = config[key]
                written[key] = f"${{env:{name}}}"
            return written
        case list():
            return [by_reference(item, environ) for item in config]
        case str():
            return escape_references(config)
        case _:
            return config


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Desired, Live]:
    """A document and what is live: often the same, or a part of it, now and then in another order."""
    config = draw(configurations())
    config["UserPoolConfigs"].pop("ForgotPassword", None)  # written beside its twin it is an error of the document
    read = shuffled(config, draw(st.integers(0, 9))) if draw(st.booleans()) else config
    environ: dict[str, str] = {}
    written = Written(by_reference(config, environ), environ)
    if not draw(st.integers(0, 2)):
        written = draw(documents())
    elif draw(st.booleans()):
        del written.config["UserPoolConfigs"][draw(st.sampled_from(sorted(config["UserPoolConfigs"])))]
    tree = live_tree(read)
    prefix = get(tree, ("UserPoolConfigs", "OAuth", "DomainPrefix"))
    return managed(written), Live(tree, fingerprint(tree), None if prefix is ABSENT else prefix)


def laid_path_by_path(live: Tree, wanted: Tree) -> Tree:
    """What an update leads to, each path of the catalogue on its own and nothing shared."""
    planned = copied(live)
    for block in BLOCKS:
        if get(wanted, block.path) is None:
            drop(planned, block.path)
    for row in FIELDS:
        value = get(wanted, row.path)
        if value is None:
            drop(planned, row.path)
        elif value is not ABSENT and not row.create_only:
            put(planned, row.path, value)
    complete(planned, live)
    return planned


def complete(planned: Tree, live: Tree) -> None:
    """What follows from what was laid over live."""
    for row in FIELDS:
        if row.secret and get(planned, row.path) is ABSENT and get(planned, row.path[:-1]) is not ABSENT:
            put(planned, row.path, SecretState.UNKNOWN)
        if not holds(row.when, planned):
            drop(planned, row.path)
    for row in FIELDS:
        if row.filled and get(planned, row.path) is ABSENT and is_new(row, live, planned):
            put(planned, row.path, Mark.KNOWN_AFTER_APPLY)


def is_new(row: Field, live: Tree, planned: Tree) -> bool:
    """Whether there is a place for a leaf only after the update."""
    if row.when is not None:
        return holds(row.when, planned) and not holds(row.when, live)
    return get(live, row.path[:-1]) is ABSENT and get(planned, row.path[:-1]) is not ABSENT


def spelt(tree: Tree) -> list[tuple[str, Any]]:
    """The leaves with the order of the sets, which comparison ignores."""
    return [(row.name, list(value) if isinstance(value, dict) else value) for row, value in leaves(tree)]


def test_one_walk_finds_what_a_look_at_each_path_finds() -> None:
    @given(configurations())
    def law(config: dict[str, Any]) -> None:
        tree = live_tree(config)
        assert leaves(tree) == [(row, get(tree, row.path)) for row in FIELDS if get(tree, row.path) is not ABSENT]

    law()


def test_what_is_laid_over_live_is_the_same_as_path_by_path() -> None:
    @given(pairs())
    def law(pair: tuple[Desired, Live]) -> None:
        desired, live = pair
        wanted = desired_tree(desired)
        planned = overlay(live.tree, wanted)
        event("shared" if planned is live.tree else "laid")
        assert spelt(planned) == spelt(laid_path_by_path(live.tree, wanted))

    law()


def test_a_plan_changes_nothing_of_what_it_was_made_of() -> None:
    """Trees are shared with live, between live and planned, and among the targets of a fleet."""

    @given(pairs())
    def law(pair: tuple[Desired, Live]) -> None:
        desired, live = pair
        before, written = spelt(live.tree), repr(desired)
        shared = copied(live.tree)
        try:
            made = prepare(desired, live)
        except InputProblem:
            event("lacks something")
        else:
            made.request()
            as_api(made.plan.planned)
        assert spelt(live.tree) == before
        assert live.tree == shared
        assert repr(desired) == written

    law()


def test_an_unchanged_target_is_as_if_its_blocks_had_been_looked_at() -> None:
    """Whether a block can be sent whole matters to nobody where nothing is sent."""

    @given(pairs())
    def law(pair: tuple[Desired, Live]) -> None:
        desired, live = pair
        try:
            made = prepare(desired, live)
        except InputProblem:
            return
        if made.plan.changes:
            return
        event("unchanged")
        whole = wholeness(made.planned, made.wanted, made.live, live, frozenset())
        assert not list(policy.blocks(desired, live, (), whole))
        assert not list(policy.guards(desired, live, (), whole))
        assert whole.stuck == ()
        assert made.plan.sent == ()

    law()


def test_proofs_tell_the_same_before_and_within_a_plan() -> None:
    @given(pairs())
    def law(pair: tuple[Desired, Live]) -> None:
        desired, live = pair
        known = standings(desired.target, desired_tree(desired), live.tree, Proofs())
        try:
            assert prepare(desired, live, proofs=Proofs()).plan == prepare(desired, live, known).plan
        except InputProblem:
            event("lacks something")

    law()
