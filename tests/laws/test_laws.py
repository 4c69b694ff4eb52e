"""What holds for every live configuration, every document and every behaviour of the service."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.core.fields import FIELDS, FORGOT_PASSWORD, MFA_MODE, OAUTH, PROVIDERS, Kind
from reconciler.core.model import FailureKind, Outcome, OutcomeKind, Plan, TargetPlan
from reconciler.core.normalise import desired_tree, live_tree
from reconciler.core.planfile import fingerprint, from_json, to_json
from reconciler.core.tree import as_api, drop
from reconciler.emulator import Switches
from tests.laws.conftest import Bench, Trial, as_document
from tests.laws.strategies import (
    CANARY,
    Written,
    configurations,
    documents,
    every_switch_is_drawn,
    shuffled,
    switches,
)

pytestmark = pytest.mark.broad

REDIRECTS = ("RedirectSignInURIs", "RedirectSignOutURIs")
# Without these no read is whole, and a read that is not whole fails.
INDISPENSABLE = {"ResourceConfig", "UserPoolConfigs", "AuthResources"}


def at(tree: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def canonical(uri: str, how: str) -> str:
    match how:
        case "slash":
            return uri if uri.endswith("/") else f"{uri}/"
        case "lowercase":
            parts = urlsplit(uri)
            return urlunsplit(parts._replace(netloc=parts.netloc.lower()))
        case _:
            return uri


def leaves(config: Mapping[str, Any], how: str = "none") -> dict[tuple[str, ...], Any]:
    """Each leaf of the truth; lists as sets, with their URIs in the form in which they are read."""
    found = {}
    for row in FIELDS:
        value = at(config, row.path)
        if row.kind is Kind.URIS and value is not None:
            value = [canonical(uri, how) for uri in value]
        if isinstance(value, list):
            value = frozenset(value) or None
        if value is not None:
            found[row.path] = value
    return found


def moved(before: Mapping[str, Any], after: Mapping[str, Any], how: str) -> set[tuple[str, ...]]:
    old, new = leaves(before, how), leaves(after, how)
    return {path for path in {*old, *new} if old.get(path) != new.get(path)}


def is_below(path: tuple[str, ...], block: tuple[str, ...]) -> bool:
    return path[: len(block)] == block


def only(made: Plan) -> TargetPlan:
    (target,) = made.planned
    return target


def texts(value: Any) -> Iterator[str]:
    match value:
        case Mapping():
            for below in value.values():
                yield from texts(below)
        case list() | tuple():
            for item in value:
                yield from texts(item)
        case str():
            yield value
        case _:
            pass


def secrets_in(config: Mapping[str, Any]) -> list[str]:
    providers = at(config, PROVIDERS) or {}
    return [
        members[name] for members in providers.values() for name in ("ClientSecret", "PrivateKey") if name in members
    ]


# --- reading -------------------------------------------------------------------------------------


def test_what_is_pulled_is_what_is_live(bench: Bench) -> None:
    """A plan of what `pull` writes is empty, however the service behaves."""

    @given(configurations(), switches(missing=True))
    def law(live: dict[str, Any], service: Switches) -> None:
        trial = bench.trial(live, service)
        if INDISPENSABLE & set(service.missing):
            identity = {"Service": "COGNITO"}
            assert [failure.kind for failure in trial.plan(identity).failures] == [FailureKind.READ]
            return
        text = trial.pulled()
        assert CANARY not in text
        target = only(trial.plan_text(text))
        assert target.changes == ()
        # An attribute that is read now and then is said, and in nobody's way.
        unreliable = {"create-only-differs"} if service.sign_up == "shortened" else set()
        assert {warning.code for warning in target.warnings} <= unreliable
        assert trial.updates == ()

    law()


def test_a_document_that_manages_nothing_changes_nothing(bench: Bench) -> None:
    @given(configurations(), switches())
    def law(live: dict[str, Any], service: Switches) -> None:
        trial = bench.trial(live, service)
        made = trial.plan({"Service": "COGNITO"})
        assert only(made).changes == ()
        assert trial.apply(made).kind is OutcomeKind.UNCHANGED
        assert trial.updates == ()

    law()


def test_a_document_says_what_it_was_dumped_from(bench: Bench) -> None:
    """Dumping and loading keeps every value, whatever it spells in YAML or as a reference."""

    @given(configurations())
    def law(live: dict[str, Any]) -> None:
        trial = bench.trial(live, Switches())
        (desired,) = trial.load(trial.pulled())
        tree = live_tree(live)
        # It is deprecated, and may say something else than VerificationMessage, which no document may.
        drop(tree, FORGOT_PASSWORD)
        for provider in (at(tree, PROVIDERS) or {}).values():
            provider.pop("ClientSecret", None)
            provider.pop("PrivateKey", None)
        assert leaves(as_api(desired_tree(desired))) == leaves(as_api(tree))

    law()


def test_the_order_of_keys_and_lists_never_matters(bench: Bench) -> None:
    @given(configurations(), documents(), st.integers(0, 1_000))
    def law(live: dict[str, Any], written: Written, seed: int) -> None:
        def told(live: dict[str, Any], config: dict[str, Any]) -> Any:
            made = bench.trial(live, Switches(), written.environ).plan(config)
            if made.failures:
                return made.failures[0].kind, [found.detail for found in made.failures[0].diagnostics]
            target = only(made)
            changes = {(change.path, change.action, change.before, change.after) for change in target.changes}
            return changes, target.fingerprint, [found.code for found in (*target.blocks, *target.guards)]

        assert told(live, written.config) == told(shuffled(live, seed), shuffled(written.config, seed))
        assert fingerprint(live_tree(live)) == fingerprint(live_tree(shuffled(live, seed)))

    law()


# --- plans ---------------------------------------------------------------------------------------


def test_a_plan_comes_back_from_its_file_as_it_was(bench: Bench) -> None:
    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        made = bench.trial(live, service, written.environ).plan(written.config)
        assert from_json(json.dumps(to_json(made, version="1"))) == made

    law()


def test_a_plan_holds_no_secret(bench: Bench) -> None:
    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        made = trial.plan(written.config)
        assert CANARY not in json.dumps(to_json(made, version="1"))
        assert CANARY not in repr(made)
        assert CANARY not in repr(trial.apply(made))

    law()


def test_a_change_names_each_path_once(bench: Bench) -> None:
    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        made = bench.trial(live, service, written.environ).plan(written.config)
        for target in made.planned:
            paths = Counter(change.path for change in target.changes)
            assert not [path for path, times in paths.items() if times > 1]
            assert all(change.unproven or change.before != change.after or change.before for change in target.changes)

    law()


# --- applying ------------------------------------------------------------------------------------


def judge(trial: Trial, service: Switches, written: Written, made: Plan, before: Mapping[str, Any]) -> Outcome:
    """Apply, and say of each way of the service what must come of it."""
    outcome = trial.apply(made)
    if made.failures:
        assert [failure.kind for failure in made.failures] == [FailureKind.INPUT]
        assert (outcome.kind, trial.updates) == (OutcomeKind.FAILED, ())
        return outcome
    target = only(made)
    if not target.applyable:
        expected = OutcomeKind.BLOCKED if target.changes else OutcomeKind.UNCHANGED
        assert (outcome.kind, trial.updates) == (expected, ())
        return outcome
    assert len(trial.updates) == 1
    codes = {finding.code for finding in outcome.findings}
    turned_on = at(before, MFA_MODE) != "ON" and any(change.after == "ON" for change in target.changes)
    if turned_on and service.mfa_on_after_creation == "refused":
        assert outcome.kind is OutcomeKind.FAILED
        assert "Cannot turn MFA functionality ON" in outcome.detail
        assert trial.live() == before
    elif any(is_rewritten(change.path, service) for change in target.changes if change.after):
        # The service stores another form than the one that is written: each plan would write it again.
        assert outcome.kind is OutcomeKind.UNVERIFIED
        assert "rewritten" in codes or "not-arrived" in codes or "moved" in codes
    elif service.omitted == "wipe" and at(before, OAUTH) and is_left_out(trial):
        # OAuth that can't be sent whole is left out, and this service, against all documentation, removes it.
        assert outcome.kind is OutcomeKind.UNVERIFIED
        assert "moved" in codes
    elif service.omitted == "keep" and any(is_removed_provider(change.path, made) for change in target.changes):
        # This service keeps a provider that is left out of a block, so that nothing removes one alone.
        assert outcome.kind is OutcomeKind.UNVERIFIED
        assert "not-arrived" in codes
    elif follows_a_message(service, written, before):
        assert outcome.kind in {OutcomeKind.APPLIED, OutcomeKind.UNVERIFIED}
        beyond = [finding.summary for finding in outcome.findings if finding.code != "moved-in-meta"]
        assert all("ForgotPassword" in told or "VerificationMessage" in told for told in beyond)
    elif is_read_in_another_form(before, service) and not is_left_out(trial):
        # What is sent back is what was read, so that the stored form moves; where the meta shows it, it is told.
        assert outcome.kind is OutcomeKind.APPLIED or codes == {"moved-in-meta"}
    else:
        assert outcome.kind is OutcomeKind.APPLIED, outcome
    return outcome


def is_rewritten(path: tuple[str, ...], service: Switches) -> bool:
    return path[-2] in REDIRECTS and canonical(path[-1], service.canonical) != path[-1] if len(path) > 1 else False


def is_removed_provider(path: tuple[str, ...], made: Plan) -> bool:
    oauth = at(only(made).planned, OAUTH)
    return is_below(path, PROVIDERS) and oauth is not None and at(only(made).planned, path[:-1]) is None


def is_read_in_another_form(config: Mapping[str, Any], service: Switches) -> bool:
    return leaves(config) != leaves(config, service.canonical)


def is_left_out(trial: Trial) -> bool:
    return at(trial.updates[0].body["ResourceConfig"], OAUTH) is None


def follows_a_message(service: Switches, written: Written, before: Mapping[str, Any]) -> bool:
    """Whether the deprecated ForgotPassword may end as something else than was planned.

    It may be taken for VerificationMessage, which moves it where that was not planned, and it is left out of
    an update unless it is managed, so that a service which wipes what is left out removes it.
    """
    managed = at(written.config, FORGOT_PASSWORD) is not None
    wiped = service.omitted == "wipe" and at(before, FORGOT_PASSWORD) is not None and not managed
    return wiped or service.forgot_password == "mapped"


def may_follow(path: tuple[str, ...], service: Switches) -> bool:
    """Whether a path may move without being planned, which no client can help."""
    messages = is_below(path, FORGOT_PASSWORD) or (
        # ForgotPassword that is managed is taken for a VerificationMessage that there is none of.
        service.forgot_password == "mapped" and path[1:2] == ("VerificationMessage",)
    )
    return messages and (service.forgot_password == "mapped" or service.omitted == "wipe")


def test_after_an_apply_nothing_is_left_to_plan(bench: Bench) -> None:
    kinds: Counter[OutcomeKind] = Counter()

    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        before = trial.live()
        outcome = judge(trial, service, written, trial.plan(written.config), before)
        kinds[outcome.kind] += 1
        event(outcome.kind.value)
        if outcome.kind in {OutcomeKind.APPLIED, OutcomeKind.UNCHANGED}:
            assert only(trial.plan(written.config)).changes == ()

    law()
    assert kinds[OutcomeKind.APPLIED] > kinds.total() / 4, kinds


def test_nothing_moves_that_was_not_shown(bench: Bench) -> None:
    kinds: Counter[OutcomeKind] = Counter()

    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        before = trial.live()
        made = trial.plan(written.config)
        outcome = trial.apply(made)
        kinds[outcome.kind] += 1
        shown = {change.path for target in made.planned for change in target.changes}
        shown |= {path[:-1] for path in shown}
        beyond = {
            path
            for path in moved(before, trial.live(), service.canonical)
            if path not in shown and not may_follow(path, service)
        }
        if service.omitted == "wipe" and trial.updates and is_left_out(trial):
            # Left out because it can't be sent whole; the documentation and the CLI's code say that it is kept.
            beyond = {path for path in beyond if not is_below(path, OAUTH)}
        assert beyond == set()

    law()
    assert kinds[OutcomeKind.APPLIED] > kinds.total() / 4, kinds


def test_what_moves_beyond_the_plan_is_always_told(bench: Bench) -> None:
    """Even what no client can help is seen: an apply that ends well left nothing else moved."""

    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        before = trial.live()
        made = trial.plan(written.config)
        if trial.apply(made).kind is not OutcomeKind.APPLIED:
            return
        shown = {change.path for change in only(made).changes}
        shown |= {path[:-1] for path in shown}
        beyond = moved(before, trial.live(), service.canonical) - shown
        # ForgotPassword may move along with the VerificationMessage of the update.
        assert {path for path in beyond if not is_below(path, FORGOT_PASSWORD)} == set()

    law()


def test_what_is_sent_was_written_or_is_live(bench: Bench) -> None:
    """No mask is sent, no domain with the environment behind it, and no member that only creation knows."""

    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        before = trial.live()
        trial.apply(trial.plan(written.config))
        for request in trial.updates:
            sent = request.body["ResourceConfig"]
            known = {*secrets_in(before), *written.environ.values()}
            assert set(secrets_in(sent)) <= known
            prefix = at(sent, (*OAUTH, "DomainPrefix"))
            assert prefix in {None, at(before, (*OAUTH, "DomainPrefix")), at(written.config, (*OAUTH, "DomainPrefix"))}
            assert not [row.path for row in FIELDS if row.create_only and at(sent, row.path) is not None]
            assert "${" not in "".join(secrets_in(sent))
            assert at(sent, MFA_MODE) != "OFF" or list(sent["UserPoolConfigs"]["Mfa"]) == ["MFAMode"]

    law()


def test_a_second_apply_sends_nothing_more(bench: Bench) -> None:
    @given(configurations(), documents(), switches())
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        if trial.apply(trial.plan(written.config)).kind is not OutcomeKind.APPLIED:
            return
        assert trial.apply(trial.plan(written.config)).kind is OutcomeKind.UNCHANGED
        assert len(trial.updates) == 1

    law()


def test_a_service_that_hides_members_gets_one_update_at_most(bench: Bench) -> None:
    """Whatever a read leaves out: no masks, no second update, and "applied" is never said of what is not seen."""

    @given(configurations(), documents(), switches(missing=True))
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        trial = bench.trial(live, service, written.environ)
        before = trial.live()
        made = trial.plan(written.config)
        outcome = trial.apply(made)
        event(outcome.kind.value)
        assert len(trial.updates) <= 1
        for request in trial.updates:
            assert set(secrets_in(request.body["ResourceConfig"])) <= {*secrets_in(before), *written.environ.values()}
        if outcome.kind is OutcomeKind.APPLIED:
            assert only(trial.plan(written.config)).changes == ()
        if INDISPENSABLE & set(service.missing):
            assert [failure.kind for failure in made.failures] == [FailureKind.READ]
            assert trial.updates == ()

    law()


def test_the_hosted_domain_never_moves_unless_it_is_written(bench: Bench) -> None:
    """Not even where the service does not tell what it is."""

    @given(configurations(), documents(), switches(missing=True))
    def law(live: dict[str, Any], written: Written, service: Switches) -> None:
        config = deepcopy(written.config)
        pool = config.pop("UserPoolConfigs", {})
        if isinstance(pool.get("OAuth"), dict):
            pool["OAuth"].pop("DomainPrefix", None)
        if not pool.get("OAuth"):
            pool.pop("OAuth", None)
        if pool:
            config["UserPoolConfigs"] = pool
        trial = bench.trial(live, service, written.environ)
        before = at(trial.live(), (*OAUTH, "DomainPrefix"))
        trial.apply(trial.plan(config or {"Service": "COGNITO"}))
        after = at(trial.live(), (*OAUTH, "DomainPrefix"))
        left_out = service.omitted == "wipe" and bool(trial.updates) and is_left_out(trial)
        assert before is None or after == before or (after is None and left_out)

    law()


# --- the laws themselves -------------------------------------------------------------------------


def test_every_switch_of_the_emulator_takes_part() -> None:
    assert every_switch_is_drawn() == set(Switches.names())


def test_a_document_is_valid_text(bench: Bench) -> None:
    """What the laws write has no error, so that none of them is satisfied by a refusal of the document."""

    @given(documents())
    def law(written: Written) -> None:
        trial = bench.trial({}, Switches(), written.environ)
        (desired,) = trial.load(as_document(written.config))
        assert desired.settings or not list(texts(written.config))

    law()
