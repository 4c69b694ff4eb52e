"""What the ledger holds after an apply, whatever became of it, and what happens where it can't be written."""

from __future__ import annotations

import getpass
import json
import platform
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler import __version__
from reconciler.core.model import Change, Mark, Outcome, OutcomeKind
from reconciler.core.planfile import digest_of
from reconciler.core.secret import SecretState
from reconciler.core.tree import get, leaves
from reconciler.emulator import PLANTED_CLIENT_SECRET, PLANTED_JOB_SECRET
from reconciler.errors import AccessProblem, LedgerProblem, ReconcilerError
from reconciler.ledger.record import Pipeline, Record
from reconciler.operations.jobs import Stopped
from tests.e2e.conftest import MOMENTS, PROVIDERS, SECRETS, World, codes, configuration, document, nested, only, policy
from tests.unit.operations.ledgers import Watched

LENGTH = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
GOOGLE = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google", "ClientSecret")
ON_UPDATE = "operation=UpdateBackendAuth"


def the_record(world: World) -> Record:
    (record,) = world.records()
    return record


def flat(config: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each leaf of a configuration; a list is one."""
    if not isinstance(config, dict):
        yield above, config
        return
    for name, below in config.items():
        yield from flat(below, (*above, name))


def refuse(world: World, where: str, problem: ReconcilerError | None = None, *, times: int = 1, skip: int = 0) -> None:
    """Let the ledger refuse some writes of the keys that begin so; ``skip`` of them pass before."""
    left = [skip, times]

    def before(key: str) -> None:
        if not key.startswith(where):
            return
        if left[0]:
            left[0] -= 1
        elif left[1]:
            left[1] -= 1
            raise problem or LedgerProblem("the disk is full", detail=key)

    ledger = world.ledger
    world.services.books.ledger = replace(ledger, store=Watched(ledger.store, before))


# --- what a record holds ------------------------------------------------------------------------


def test_a_record_tells_what_was_done_to_which_target_and_how_it_ended(world: World) -> None:
    made = world.plan(document(policy(12)))
    keeping = world.keeping(made)
    (outcome,) = world.apply_all(made, keeping=keeping)
    record = the_record(world)
    assert record.run.id == keeping.run.id
    assert (record.run.command, record.run.digest) == ("apply", digest_of(made, version=__version__))
    assert (record.plan.name, record.plan.target) == (only(made).name, only(made).target)
    assert record.plan.changes == (Change(LENGTH, only(made).changes[0].action, 8, 12, only(made).changes[0].origin),)
    assert record.outcome == outcome
    assert outcome.job is not None
    assert record.jobs == (outcome.job,)
    assert (record.sent, record.resumes) == (True, None)


def test_a_record_tells_how_long_its_target_took_by_the_clock_that_was_given(world: World) -> None:
    begun = world.time.now
    world.apply(policy(12))
    record = the_record(world)
    assert record.seconds == pytest.approx(world.time.now - begun)
    assert record.seconds >= 120
    assert record.ended == "2023-11-14T22:15:30Z", "120 s of the job and one poll of the proof after the clock's start"


def test_a_record_tells_who_ran_it_and_where_to_look(world: World) -> None:
    world.environ.update(
        GITHUB_ACTIONS="true",
        GITHUB_ACTOR="octocat",
        GITHUB_SERVER_URL="https://github.example.com",
        GITHUB_REPOSITORY="shop/auth",
        GITHUB_RUN_ID="7",
    )
    world.apply(policy(12))
    who = the_record(world).run.who
    assert (who.user, who.host) == (getpass.getuser(), platform.node())
    url = "https://github.example.com/shop/auth/actions/runs/7"
    assert who.pipeline == Pipeline("GitHub Actions", "octocat", url)


def test_a_record_tells_the_identity_that_the_target_was_reached_with(world: World) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/deploy/octocat"
    made = world.plan(document(policy(12)))
    world.apply_all(made, keeping=replace(world.keeping(made), caller_of=lambda _: arn))
    assert the_record(world).caller == arn


def test_a_record_keeps_the_whole_snapshot_of_what_was_live_before_without_a_secret(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=absent")
    world.apply(policy(12))
    snapshot = the_record(world).plan.live
    kept = {row.path: list(value) if row.is_set else value for row, value in leaves(snapshot)}
    expected = dict(flat(configuration(providers=True)))
    for provider in PROVIDERS:
        hidden = "PrivateKey" if provider == "SignInWithApple" else "ClientSecret"
        state = SecretState.UNKNOWN if hidden == "PrivateKey" else SecretState.READABLE
        expected["UserPoolConfigs", "OAuth", "SocialProviderSettings", provider, hidden] = state
    assert kept == expected


def test_a_changed_secret_is_a_mark_in_the_record(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear")
    world.environ["GOOGLE_SECRET"] = "GOCSPX-canary-rotated"
    assert world.apply(nested(GOOGLE, "${env:GOOGLE_SECRET}")).kind is OutcomeKind.APPLIED
    (change,) = the_record(world).plan.changes
    assert (change.path, change.before, change.after) == (GOOGLE, Mark.SENSITIVE, Mark.SENSITIVE)


def test_a_record_names_what_was_there_and_this_api_can_not_express(world: World) -> None:
    world.switch("user_groups=on", "admin_queries=on")
    world.apply(policy(12), allow=("unseen-settings",))
    assert the_record(world).unseen == ("user groups", "admin queries")


def test_a_record_is_one_object_that_people_and_jq_can_read(world: World) -> None:
    outcome = world.apply(policy(12))
    (name,) = [name for name in world.kept() if name.startswith("runs/")]
    text = world.kept()[name].decode()
    read = json.loads(text)
    assert name == f"runs/{read['run']}/shop.json"
    assert read["who"]["user"] == getpass.getuser()
    assert read["outcome"]["kind"] == "applied"
    assert read["jobs"] == [outcome.job]
    assert [change["path"] for change in read["plan"]["changes"]] == [list(LENGTH)]
    assert read["plan"]["live"]["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 8
    assert text.startswith('{\n  "record_version": 1,\n')


# --- every outcome is recorded ------------------------------------------------------------------


def busy(world: World) -> None:
    world.elsewhere()


def moved(world: World) -> None:
    config = configuration()
    config["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
    world.seed(config)


def fault(text: str) -> Callable[[World], None]:
    return lambda world: world.fault(f"{text},{ON_UPDATE}")


def unseen(world: World) -> None:
    world.fault("access_denied,operation=GetBackendJob")


@pytest.mark.parametrize(
    ("happens", "kind", "sent"),
    [
        (lambda _: None, OutcomeKind.APPLIED, True),
        (fault("job_failed"), OutcomeKind.FAILED, True),
        (fault("job_stuck"), OutcomeKind.TIMED_OUT, True),
        (fault("collateral"), OutcomeKind.UNVERIFIED, True),
        (fault("no_effect"), OutcomeKind.UNVERIFIED, True),
        (fault("drop_before"), OutcomeKind.FAILED, True),
        (unseen, OutcomeKind.UNKNOWN, True),
        (fault("throttle"), OutcomeKind.FAILED, False),
        (fault("access_denied"), OutcomeKind.DENIED, False),
        (busy, OutcomeKind.LOCKED, False),
        (moved, OutcomeKind.STALE, False),
    ],
    ids=lambda value: value.value if isinstance(value, OutcomeKind) else "",
)
def test_whatever_becomes_of_a_target_with_changes_is_recorded(
    world: World, happens: Callable[[World], None], kind: OutcomeKind, sent: bool
) -> None:
    made = world.plan(document(policy(12)))
    happens(world)
    keeping = world.keeping(made)
    (outcome,) = world.apply_all(made, keeping=keeping)
    assert outcome.kind is kind
    record = the_record(world)
    assert record.outcome == outcome
    assert (record.run.id, record.sent) == (keeping.run.id, sent)


@pytest.mark.parametrize(
    ("prepare", "kind"),
    [
        (lambda world: world.seed(imported=True), OutcomeKind.BLOCKED),
        (lambda world: world.switch("user_groups=on"), OutcomeKind.GUARDED),
    ],
    ids=["blocked", "guarded"],
)
def test_a_plan_that_stands_in_its_own_way_is_recorded(
    world: World, prepare: Callable[[World], None], kind: OutcomeKind
) -> None:
    prepare(world)
    outcome = world.apply(policy(12))
    assert outcome.kind is kind
    assert (the_record(world).outcome, the_record(world).sent) == (outcome, False)


def test_one_run_records_each_of_its_targets_the_skipped_ones_too(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    moved(world)
    outcomes = world.apply_all(made)
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SKIPPED, OutcomeKind.STALE]
    records = world.records()
    assert tuple(record.outcome for record in records) == outcomes
    assert len({record.run.id for record in records}) == 1


def test_stopping_before_anything_was_sent_is_recorded(world: World) -> None:
    def stop(_seconds: float) -> None:
        raise Stopped

    outcome = world.apply(policy(12), sleep=stop)
    assert (the_record(world).outcome, the_record(world).sent) == (outcome, False)


def test_stopping_during_the_wait_is_recorded_as_unknown_and_sent(world: World) -> None:
    def stop(seconds: float) -> None:
        if seconds:
            raise Stopped

    outcome = world.apply(policy(12), sleep=stop)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert (the_record(world).outcome, the_record(world).sent) == (outcome, True)


def test_a_target_without_changes_is_not_recorded(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(
        document(policy(8), environment="dev", name="same"), document(policy(12), environment="prod", name="other")
    )
    assert [outcome.kind for outcome in world.apply_all(made)] == [OutcomeKind.UNCHANGED, OutcomeKind.APPLIED]
    assert [record.plan.name for record in world.records()] == ["other"]


def test_an_apply_that_changes_nothing_writes_nothing(world: World) -> None:
    assert world.apply(policy(8)).kind is OutcomeKind.UNCHANGED
    assert not world.ledger_folder.exists()


def test_records_of_several_runs_stand_beside_one_another(world: World) -> None:
    for length in (9, 10, 11):
        assert world.apply(policy(length)).kind is OutcomeKind.APPLIED
    assert sorted(get(record.plan.planned, LENGTH) for record in world.records()) == [9, 10, 11]
    assert len(world.ledger.runs("shop")) == 3
    assert world.ledger.runs("another") == ()


# --- who can read it, and what nobody can read there ---------------------------------------------


def test_what_is_kept_is_for_its_owner_alone(world: World) -> None:
    world.apply_all(world.plan(document(policy(12))), saved=True)
    world.die(world.plan(document(policy(13))), "waiting")
    paths = [world.ledger_folder, *world.ledger_folder.rglob("*")]
    modes = {path.relative_to(world.folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in paths}
    kinds = {name.partition("ledger/")[2].partition("/")[0] for name in modes}
    assert {"runs", "journal", "plans", "locks"} <= kinds
    expected = {path.relative_to(world.folder).as_posix(): 0o700 if path.is_dir() else 0o600 for path in paths}
    assert modes == expected


@pytest.mark.parametrize("secrets", ["clear", "masked", "absent"])
@pytest.mark.parametrize("happens", ["nothing", "job_failed", "secret-moved", *MOMENTS])
def test_no_byte_of_the_ledger_is_of_a_secret(world: World, secrets: str, happens: str) -> None:
    world.seed(configuration(providers=True))
    world.switch(f"secrets={secrets}", f"apple_key={secrets}", "mask=leading")
    written: dict[str, Any] = {}
    for provider, members in PROVIDERS.items():
        hidden = "PrivateKey" if provider == "SignInWithApple" else "ClientSecret"
        world.environ[f"SECRET_{provider}"] = SECRETS[provider].replace("anary", "anary-rotated")
        written[provider] = {**members, hidden: f"${{env:SECRET_{provider}}}"}
    oauth = {"OAuthGrantType": "IMPLICIT", "SocialProviderSettings": written}
    made = world.plan(document(policy(12, OAuth=oauth)))
    if happens == "job_failed":
        quoted = f"Error: {world.environ['SECRET_Facebook']} {SECRETS['Google']} {PLANTED_JOB_SECRET} is no good"
        world.fault(f"job_failed,{ON_UPDATE},text={quoted}" if secrets == "clear" else f"job_failed,{ON_UPDATE}")
    if happens == "secret-moved":
        world.fault(f"collateral,{ON_UPDATE},field={'.'.join(GOOGLE)},value=GOCSPX-canary-of-another")
    if happens in MOMENTS:
        world.die(made, happens, saved=True)
    else:
        world.apply_all(made, saved=True)
    kept = world.kept()
    assert len([name for name in kept if name.endswith(".json")]) >= 2
    assert len(world.updates) == (happens != "journalled")
    planted = (PLANTED_JOB_SECRET, PLANTED_CLIENT_SECRET)
    for name, data in kept.items():
        assert b"canary" not in data.lower(), name
        assert not any(secret.encode() in data for secret in planted), name


# --- a ledger that can't be written or read -----------------------------------------------------


def unusable(world: World) -> None:
    """Let a file stand where the ledger's folder would be."""
    world.ledger_folder.parent.mkdir(parents=True)
    world.ledger_folder.write_text("no folder", encoding="utf-8")


@pytest.mark.parametrize("saved", [True, False])
def test_a_ledger_that_can_not_be_written_stops_an_apply_before_anything_is_sent(world: World, saved: bool) -> None:
    unusable(world)
    (outcome,) = world.apply_all(world.plan(document(policy(12))), saved=saved)
    assert outcome.kind is OutcomeKind.FAILED
    assert "can't be read or written" in outcome.summary
    assert outcome.hint.startswith("this run sent nothing\n")
    assert world.updates == ()


@pytest.mark.parametrize("where", ["plans/", "journal/"])
@pytest.mark.parametrize(
    ("problem", "kind"),
    [(LedgerProblem("the disk is full"), OutcomeKind.FAILED), (AccessProblem("no token"), OutcomeKind.DENIED)],
)
def test_what_can_not_be_journalled_or_claimed_is_not_sent_and_can_be_tried_again(
    world: World, where: str, problem: ReconcilerError, kind: OutcomeKind
) -> None:
    made = world.plan(document(policy(12)))
    refuse(world, where, problem)
    (outcome,) = world.apply_all(made, saved=True)
    assert (outcome.kind, outcome.summary) == (kind, problem.summary)
    assert world.updates == ()
    assert world.ledger.all_under_way() == ()
    (again,) = world.apply_all(made, saved=True)
    assert again.kind is OutcomeKind.APPLIED


def test_one_target_that_can_not_be_journalled_hides_nothing_of_the_others(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    refuse(world, "journal/d1example-prod")
    kinds = [outcome.kind for outcome in world.apply_all(made)]
    assert kinds == [OutcomeKind.APPLIED, OutcomeKind.FAILED]
    assert [sent.body["BackendEnvironmentName"] for sent in world.updates] == ["dev"]


def test_a_record_that_could_not_be_written_is_told_and_written_by_the_next_apply(world: World) -> None:
    made = world.plan(document(policy(12)))
    refuse(world, "runs/")
    lost = world.keeping(made)
    (outcome,) = world.apply_all(made, keeping=lost)
    assert (outcome.kind, outcome.unrecorded) == (OutcomeKind.APPLIED, True)
    assert "the ledger does not have this: the disk is full" in outcome.findings[-1].summary
    assert world.records() == ()
    assert [entry.intent.run.id for entry in world.ledger.all_under_way()] == [lost.run.id]

    again = world.apply(policy(13))
    assert (again.kind, again.unrecorded) == (OutcomeKind.APPLIED, False)
    assert world.ledger.all_under_way() == ()
    (settled,) = world.ledger.found(lost.run.id)
    assert (settled.resumes, settled.outcome.kind, settled.sent) == (lost.run.id, OutcomeKind.APPLIED, True)
    assert len(world.updates) == 2


def test_a_job_that_could_not_be_written_down_is_followed_all_the_same(world: World) -> None:
    refuse(world, "journal/", skip=1)
    outcome = world.apply(policy(12))
    assert (outcome.kind, outcome.unrecorded) == (OutcomeKind.APPLIED, False)
    assert world.ledger.all_under_way() == ()
    assert the_record(world).jobs == (outcome.job,)


def test_a_journal_that_could_not_be_closed_is_told_and_closed_by_the_next_apply(world: World) -> None:
    refuse(world, "journal/", skip=2)
    outcome = world.apply(policy(12))
    assert (outcome.kind, outcome.unrecorded) == (OutcomeKind.APPLIED, True)
    assert len(world.ledger.all_under_way()) == 1
    assert world.apply(policy(13)).kind is OutcomeKind.APPLIED
    assert world.ledger.all_under_way() == ()
    assert len(world.updates) == 2


def test_a_refused_update_whose_journal_could_not_be_closed_is_found_not_to_have_landed(world: World) -> None:
    world.fault(f"throttle,{ON_UPDATE}")
    refuse(world, "journal/", skip=1)
    outcome = world.apply(policy(12))
    assert (outcome.kind, outcome.unrecorded) == (OutcomeKind.FAILED, True)
    (settled,) = world.resume()
    assert settled.kind is OutcomeKind.FAILED
    assert "did not land" in settled.summary
    assert world.ledger.all_under_way() == ()
    assert len(world.updates) == 1


# --- plan and drift -----------------------------------------------------------------------------


def warned(world: World, length: int = 12) -> list[str]:
    """The codes that a plan, which is what drift shows too, warns of."""
    return [warning.code for warning in only(world.plan(document(policy(length)))).warnings]


def test_a_plan_writes_no_ledger(world: World) -> None:
    assert warned(world) == []
    assert not world.ledger_folder.exists()


def test_a_plan_tells_of_an_update_that_nobody_settled_and_touches_nothing(world: World) -> None:
    run = world.die(world.plan(document(policy(12))), "waiting")
    before = world.kept()
    (warning,) = only(world.plan(document(policy(13)))).warnings
    assert (warning.code, run in warning.summary) == ("under-way", True)
    assert getpass.getuser() in warning.detail
    assert "--resume" in warning.hint
    assert world.kept() == before
    assert len(world.updates) == 1


def test_a_plan_without_changes_tells_of_it_too(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")
    assert warned(world, length=8) == ["under-way"]


def test_a_plan_of_another_environment_does_not_tell_of_it(world: World) -> None:
    world.seed(environment="dev")
    world.die(world.plan(document(policy(12))), "waiting")
    assert only(world.plan(document(policy(12), environment="dev"))).warnings == ()


def test_once_it_is_settled_a_plan_tells_nothing_more(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")
    world.resume()
    assert warned(world) == []


def test_a_plan_with_a_ledger_that_can_not_be_read_is_made_and_says_so(world: World) -> None:
    unusable(world)
    made = only(world.plan(document(policy(12))))
    assert made.applyable
    assert [warning.code for warning in made.warnings] == ["ledger-unread"]


def test_damage_in_the_journal_stops_an_apply_and_names_the_file(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, "journalled")
    (name,) = [name for name in world.kept() if name.startswith("journal/")]
    (world.ledger_folder / name).write_bytes(world.kept()[name][:200])
    assert warned(world) == ["ledger-unread"]
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.FAILED
    assert name in outcome.summary
    assert world.updates == ()


def test_what_an_outcome_tells_of_collateral_comes_back_from_its_record(world: World) -> None:
    world.fault(f"collateral,{ON_UPDATE}")
    outcome: Outcome = world.apply(nested(("IdentityPoolConfigs", "UnauthenticatedLogin"), value=False))
    assert codes(outcome) == ["moved", "moved-in-meta"]
    kept = the_record(world).outcome
    assert kept.collateral is not None
    assert kept.collateral == outcome.collateral
