"""What becomes of an update whose run died, at each moment of it: found again, settled, and never sent twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler import __version__
from reconciler.core.gateway import Gateway
from reconciler.core.model import Desired, Finding, Outcome, OutcomeKind, Plan
from reconciler.core.planfile import digest_of
from reconciler.core.tree import get
from reconciler.emulator import PLANTED_JOB_SECRET
from reconciler.errors import AccessProblem, LedgerProblem, NotFound
from reconciler.ledger.lease import Holder
from reconciler.ledger.record import Record, key_of
from reconciler.operations.fleet import Observer, silent
from reconciler.operations.jobs import Stopped, Waiting
from reconciler.operations.resume import give_up, resume
from reconciler.operations.settle import Following
from tests.e2e.conftest import (
    MOMENTS,
    PROVIDERS,
    SECRETS,
    Between,
    Fate,
    World,
    codes,
    configuration,
    document,
    nested,
    only,
    policy,
)
from tests.unit.operations.ledgers import Died, MemoryLeases, Watched

LENGTH = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
GUESTS = ("IdentityPoolConfigs", "UnauthenticatedLogin")
ON_UPDATE = "operation=UpdateBackendAuth"
AFTER_SENDING = tuple(moment for moment in MOMENTS if moment != "journalled")
WITH_THE_JOB_NAMED = tuple(moment for moment in AFTER_SENDING if moment != "sent")
LANDED = 300.0
"""Seconds after which a job has ended."""

pytestmark = pytest.mark.broad


def length_of(world: World, environment: str = "prod") -> Any:
    return world.live(environment)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"]


def is_open(world: World) -> bool:
    return bool(world.ledger.all_under_way())


def resumed(world: World, waiting: Waiting | None = None) -> Outcome:
    """Settle the only update that is under way."""
    (outcome,) = world.resume(waiting)
    return outcome


def found(world: World, run: str) -> Record:
    (record,) = world.ledger.found(run)
    return record


def move(world: World, length: int, environment: str = "prod") -> None:
    """Somebody else changes the password's length, after the jobs that have ended by now."""
    world.live(environment)
    config = configuration()
    config["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = length
    world.seed(config, environment=environment)


def by_resume(world: World, made: Plan) -> Outcome:
    del made
    return resumed(world)


def by_apply(world: World, made: Plan) -> Outcome:
    """The very same saved plan is applied again."""
    (outcome,) = world.apply_all(made, saved=True)
    return outcome


# --- death at each moment -----------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_dies_leaves_its_intent_in_the_journal(world: World, moment: str) -> None:
    made = world.plan(document(policy(12)))
    run = world.die(made, moment)
    (opened,) = world.ledger.all_under_way()
    assert (opened.intent.run.id, opened.intent.plan) == (run, only(made))
    assert get(opened.intent.before.tree, LENGTH) == 8
    assert (opened.intent.job is not None) == (moment in WITH_THE_JOB_NAMED)
    assert world.ledger.leases.held() == ()
    assert len(world.updates) == (moment in AFTER_SENDING)


@pytest.mark.parametrize("moment", AFTER_SENDING)
@pytest.mark.parametrize("settle", [by_resume, by_apply])
def test_an_update_that_landed_meanwhile_is_found_to_have_landed(
    world: World, moment: str, settle: Callable[[World, Plan], Outcome]
) -> None:
    made = world.plan(document(policy(12)))
    run = world.die(made, moment, saved=True)
    world.time.now += LANDED
    outcome = settle(world, made)
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.changes == only(made).changes
    assert not is_open(world)
    assert found(world, run).outcome.kind is OutcomeKind.APPLIED
    assert (len(world.updates), length_of(world)) == (1, 12)


@pytest.mark.parametrize("moment", ["sent", "waiting"])
@pytest.mark.parametrize("settle", [by_resume, by_apply])
def test_a_job_that_still_runs_is_adopted_and_followed_to_its_end(
    world: World, moment: str, settle: Callable[[World, Plan], Outcome]
) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, moment, saved=True)
    begun = world.time.now
    outcome = settle(world, made)
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.time.now - begun >= 120 - 10
    (job,) = world.services.writer_of(only(made).desired).list_jobs(only(made).target)
    assert outcome.job == job.id
    assert (len(world.updates), length_of(world)) == (1, 12)


def test_an_update_that_was_about_to_be_sent_did_not_land(world: World) -> None:
    run = world.die(world.plan(document(policy(12))), "journalled")
    outcome = resumed(world)
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.summary.startswith("the update did not land")
    assert not is_open(world)
    record = found(world, run)
    assert (record.resumes, record.run.command, record.jobs) == (run, "resume", ())
    assert (world.updates, length_of(world)) == ((), 8)
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    assert len(world.updates) == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_later_apply_of_another_plan_settles_first_and_goes_on_where_live_is_as_planned(
    world: World, moment: str
) -> None:
    run = world.die(world.plan(document(policy(12))), moment)
    world.time.now += LANDED
    made = world.plan(document(policy(14)))
    keeping = world.keeping(made)
    (outcome,) = world.apply_all(made, keeping=keeping)
    assert outcome.kind is OutcomeKind.APPLIED
    assert length_of(world) == 14
    assert len(world.updates) == (2 if moment in AFTER_SENDING else 1)
    assert not is_open(world)
    expected = OutcomeKind.APPLIED if moment in AFTER_SENDING else OutcomeKind.FAILED
    assert found(world, run).outcome.kind is expected
    assert found(world, keeping.run.id).outcome == outcome


@pytest.mark.parametrize("moment", AFTER_SENDING)
def test_a_plan_that_was_made_before_the_update_landed_is_stale_once_that_is_settled(world: World, moment: str) -> None:
    made = world.plan(document(policy(14)))
    run = world.die(world.plan(document(policy(12))), moment)
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.STALE
    assert found(world, run).outcome.kind is OutcomeKind.APPLIED
    assert not is_open(world)
    assert (len(world.updates), length_of(world)) == (1, 12)


@pytest.mark.parametrize("moment", ["waiting", "proven"])
def test_a_run_that_dies_while_it_settles_another_leaves_the_journal_open(world: World, moment: str) -> None:
    first = world.die(world.plan(document(policy(12))), "sent")
    opened = world.ledger.all_under_way()
    fate = Fate(moment, sent=True)
    ledger = world.ledger
    world.services.books.ledger = replace(ledger, store=fate.store(ledger.store))
    with pytest.raises(Died):
        world.resume(sleep=fate.sleep(world.time.sleep))
    world.services.books.ledger = ledger
    assert world.ledger.all_under_way() == opened
    assert resumed(world).kind is OutcomeKind.APPLIED
    assert found(world, first).outcome.kind is OutcomeKind.APPLIED
    assert len(world.updates) == 1


def test_a_record_that_was_written_before_the_death_is_not_told_twice(world: World) -> None:
    run = world.die(world.plan(document(policy(12))), "recorded")
    assert resumed(world).kind is OutcomeKind.APPLIED
    assert len(world.records()) == 2
    assert found(world, run).resumes == run


def test_with_nothing_under_way_there_is_nothing_to_resume(world: World) -> None:
    world.apply(policy(12))
    assert world.resume() == ()
    assert len(world.records()) == 1


# --- changes of every sort ----------------------------------------------------------------------

OAUTH = configuration()["UserPoolConfigs"]["OAuth"]
WITHOUT_PREFIX = {name: value for name, value in OAUTH.items() if name != "DomainPrefix"}


def without_oauth() -> dict[str, Any]:
    config = configuration()
    del config["UserPoolConfigs"]["OAuth"]
    return config


def without_identity_pool() -> dict[str, Any]:
    config = configuration()
    config["AuthResources"] = "USER_POOL_ONLY"
    del config["IdentityPoolConfigs"]
    return config


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "set": (
        configuration(),
        {"UserPoolConfigs": {"OAuth": {"RedirectSignInURIs": ["https://z.example.com/", "myapp://a/"]}}},
    ),
    "oauth-added": (without_oauth(), {"UserPoolConfigs": {"OAuth": OAUTH}}),
    "oauth-added-with-a-generated-domain": (without_oauth(), {"UserPoolConfigs": {"OAuth": WITHOUT_PREFIX}}),
    "oauth-removed": (configuration(providers=True), {"UserPoolConfigs": {"OAuth": None}}),
    "provider-removed": (
        configuration(providers=True),
        nested(("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google"), None),
    ),
    "constraints-removed": (configuration(), policy(8) | nested((*LENGTH[:-1], "AdditionalConstraints"), None)),
    "mfa-off": (configuration(), nested(("UserPoolConfigs", "Mfa", "MFAMode"), "OFF")),
    "message": (
        configuration(),
        nested(
            ("UserPoolConfigs", "VerificationMessage"),
            {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "Your code is {####}"}},
        ),
    ),
    "identity-pool-added": (
        without_identity_pool(),
        {"AuthResources": "IDENTITY_POOL_AND_USER_POOL", "IdentityPoolConfigs": {"UnauthenticatedLogin": True}},
    ),
    "identity-pool-removed": (configuration(), {"AuthResources": "USER_POOL_ONLY"}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("moment", ["journalled", "waiting"])
def test_a_change_of_any_sort_is_settled_by_what_the_journal_tells(world: World, change: str, moment: str) -> None:
    live, written = CHANGES[change]
    world.seed(live)
    world.switch("secrets=clear", "apple_key=clear")
    world.die(world.plan(document(written), allow=("identity-pool-deletion",)), moment)
    outcome = resumed(world)
    assert codes(outcome) == []
    assert outcome.kind is (OutcomeKind.FAILED if moment == "journalled" else OutcomeKind.APPLIED), outcome
    assert not is_open(world)


@pytest.mark.parametrize("cleared", ["user_groups", "admin_queries", "identity_federation"])
def test_what_was_allowed_to_be_cleared_is_no_movement_after_a_resume_either(world: World, cleared: str) -> None:
    world.switch(f"{cleared}=on")
    world.die(world.plan(document(policy(12)), allow=("unseen-settings",)), "waiting")
    outcome = resumed(world)
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.APPLIED, [])


# --- the same saved plan ------------------------------------------------------------------------


@pytest.mark.parametrize("moment", AFTER_SENDING)
def test_a_saved_plan_whose_update_was_settled_is_used_up(world: World, moment: str) -> None:
    made = world.plan(document(policy(12)))
    run = world.die(made, moment, saved=True)
    assert by_apply(world, made).kind is OutcomeKind.APPLIED
    again = by_apply(world, made)
    assert (again.kind, run in again.summary) == (OutcomeKind.STALE, True)
    assert len(world.updates) == 1


def test_a_saved_plan_whose_update_did_not_land_goes_on(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, "journalled", saved=True)
    assert by_apply(world, made).kind is OutcomeKind.APPLIED
    assert (len(world.updates), length_of(world)) == (1, 12)
    assert by_apply(world, made).kind is OutcomeKind.STALE


@pytest.mark.parametrize("kind", ["job_failed", "no_effect"])
def test_a_saved_plan_whose_job_did_not_do_it_is_not_sent_again(world: World, kind: str) -> None:
    made = world.plan(document(policy(12)))
    world.fault(f"{kind},{ON_UPDATE}")
    world.die(made, "waiting", saved=True)
    first, second = by_apply(world, made), by_apply(world, made)
    expected = OutcomeKind.FAILED if kind == "job_failed" else OutcomeKind.UNVERIFIED
    assert (first.kind, second.kind) == (expected, OutcomeKind.STALE)
    assert len(world.updates) == 1


# --- what else may have become of it ------------------------------------------------------------


def in_the_console(world: World) -> None:
    move(world, 33)


def by_another_update(world: World) -> None:
    world.elsewhere(33)


@pytest.mark.parametrize("moment", ["journalled", "sent"])
@pytest.mark.parametrize("overtake", [in_the_console, by_another_update])
def test_an_update_that_was_overtaken_is_unknown_and_stands_in_nobodys_way(
    world: World, moment: str, overtake: Callable[[World], None]
) -> None:
    run = world.die(world.plan(document(policy(12))), moment)
    world.time.now += LANDED
    overtake(world)
    before = len(world.updates)
    outcome = resumed(world)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert "nobody can say whether the update landed" in outcome.summary
    assert length_of(world) == 33
    assert not is_open(world)
    assert found(world, run).outcome.kind is OutcomeKind.UNKNOWN
    assert len(world.updates) == before
    assert world.apply(policy(14)).kind is OutcomeKind.APPLIED


def test_another_job_that_did_what_was_planned_counts_as_landed(world: World) -> None:
    world.die(world.plan(document(policy(12))), "journalled")
    theirs = world.elsewhere(12)
    outcome = resumed(world)
    assert (outcome.kind, outcome.job) == (OutcomeKind.APPLIED, theirs.id)
    assert len(world.updates) == 1


@pytest.mark.parametrize("moment", WITH_THE_JOB_NAMED)
def test_a_completed_job_whose_result_was_overtaken_is_unverified(world: World, moment: str) -> None:
    world.die(world.plan(document(policy(12))), moment)
    world.time.now += LANDED
    theirs = world.elsewhere(33)
    world.time.now += LANDED
    outcome = resumed(world)
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["rewritten"])
    assert outcome.job not in {None, theirs.id}
    assert not is_open(world)
    assert len(world.updates) == 2


@pytest.mark.parametrize("moment", ["sent", "waiting"])
def test_a_stuck_job_times_out_each_time_and_the_journal_stays_open(world: World, moment: str) -> None:
    world.fault(f"job_stuck,{ON_UPDATE}")
    run = world.die(world.plan(document(policy(12))), moment)
    begun = world.time.now
    outcome = resumed(world, Waiting(job_timeout=600))
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert world.time.now - begun == pytest.approx(600)
    assert is_open(world)

    made = world.plan(document(policy(14)))
    (blocked,) = world.apply_all(made, Waiting(job_timeout=600))
    assert blocked.kind is OutcomeKind.TIMED_OUT
    assert f"the update of run {run} comes first" in blocked.summary
    assert blocked.job == outcome.job
    assert is_open(world)
    assert len(world.updates) == 1


def gone(call: str) -> None:
    if call == "get_job":
        raise NotFound("GetBackendJob found nothing")


def without_jobs(call: str, answer: Any) -> Any:
    return () if call == "list_jobs" else answer


@pytest.mark.parametrize(
    ("fault", "kind", "summary"),
    [
        ("", OutcomeKind.APPLIED, ""),
        ("no_effect", OutcomeKind.FAILED, "the update did not land: job {} is not there any more"),
    ],
)
def test_of_a_job_that_is_not_there_any_more_what_stands_tells(
    world: World, fault: str, kind: OutcomeKind, summary: str
) -> None:
    if fault:
        world.fault(f"{fault},{ON_UPDATE}")
    made = world.plan(document(policy(12)))
    world.die(made, "waiting", saved=True)
    (opened,) = world.ledger.all_under_way()
    world.time.now += LANDED
    begun = world.time.now
    forgotten = Between(world.services.writer_of(only(made).desired), gone, without_jobs)
    (outcome,) = world.resume(writer_of=lambda _: forgotten)
    assert outcome.kind is kind
    assert outcome.summary.startswith(summary.format(opened.intent.job))
    assert world.time.now - begun < 300, "six polls are enough"
    assert not is_open(world)
    assert (world.ledger.used_by(digest_of(made, version=__version__)) is None) == bool(fault)


def test_a_job_that_is_listed_is_there_although_nobody_can_read_it(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, "waiting")
    (outcome,) = world.resume(writer_of=lambda desired: Between(world.services.writer_of(desired), gone))
    assert (outcome.kind, outcome.summary) == (
        OutcomeKind.UNKNOWN,
        "the update was sent, and then its job can't be read, and may run",
    )
    assert is_open(world)


@pytest.mark.parametrize("timeout", [5, 40])
def test_a_job_that_is_not_found_once_is_no_lost_job(world: World, timeout: float) -> None:
    world.switch("job_seconds=3600")
    made = world.plan(document(policy(12)))
    world.die(made, "waiting", saved=True)
    (outcome,) = world.resume(
        Waiting(job_timeout=timeout),
        writer_of=lambda desired: Between(world.services.writer_of(desired), gone, without_jobs),
    )
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert is_open(world)
    assert world.ledger.used_by(digest_of(made, version=__version__)) is not None


def test_an_end_that_was_not_seen_whole_leaves_the_journal_open(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, "waiting")
    world.time.now += LANDED
    (outcome,) = world.resume(
        Waiting(verify_polls=1),
        writer_of=lambda desired: Between(world.services.writer_of(desired), gone, without_jobs),
    )
    assert (outcome.kind, outcome.detail) == (OutcomeKind.UNKNOWN, "what stands was not seen whole")
    assert is_open(world)


def test_a_failed_job_after_which_nobody_could_look_is_not_settled(world: World) -> None:
    world.fault(f"job_failed,{ON_UPDATE}")
    run = world.die(world.plan(document(policy(12))), "waiting")
    world.time.now += LANDED
    made = world.plan(document(policy(14)))
    world.fault("error,operation=GetBackendAuth")
    (outcome,) = world.apply_all(made)
    assert outcome.summary.startswith(f"the update of run {run} comes first")
    assert is_open(world)


def test_whoever_sent_an_update_does_not_take_a_lost_job_for_its_end(world: World) -> None:
    made = world.plan(document(policy(12)))
    (outcome,) = world.apply_all(made, writer_of=lambda desired: Between(world.services.writer_of(desired), gone))
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert is_open(world)


def test_a_status_that_nobody_knows_stands_in_nobodys_way_after_a_day(world: World) -> None:
    world.fault(f"job_unknown_status,{ON_UPDATE},seconds=1000000")
    run = world.die(world.plan(document(policy(12))), "waiting")
    outcome = resumed(world, Waiting(job_timeout=600))
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert is_open(world)
    world.time.now += 100_000
    begun = world.time.now
    outcome = resumed(world, Waiting(job_timeout=600))
    assert outcome.kind is OutcomeKind.FAILED
    assert "has had the status QUEUED for days, and live is unchanged" in outcome.summary
    assert world.time.now - begun < 100
    assert not is_open(world)
    assert found(world, run).outcome.kind is OutcomeKind.FAILED
    assert "already a pending job" in world.apply(policy(12)).detail, "now it is the service that says no"


@pytest.mark.parametrize("moment", ["sent", "waiting"])
@pytest.mark.parametrize("secrets", ["clear", "masked", "absent"])
def test_a_failed_job_that_may_quote_secrets_is_not_quoted_by_who_does_not_know_them(
    world: World, secrets: str, moment: str
) -> None:
    quoted = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    world.fault(f"job_failed,{ON_UPDATE},text=Error: Facebook rejected {quoted}")
    made = with_secrets(world)
    world.environ["SECRET_Facebook"] = quoted
    world.switch(f"secrets={secrets}", f"apple_key={secrets}")
    made = world.plan(document({"UserPoolConfigs": {"OAuth": {"OAuthGrantType": "IMPLICIT", **providers_of(made)}}}))
    world.die(made, moment)
    outcome = resumed(world)
    assert quoted not in repr(outcome)
    assert "and is not repeated" in outcome.detail
    assert not any(quoted.encode() in content for content in world.kept().values())


def test_an_update_that_timed_out_is_settled_once_its_job_has_ended(world: World) -> None:
    world.switch("job_seconds=7200")
    made = world.plan(document(policy(12)))
    keeping = world.keeping(made)
    (outcome,) = world.apply_all(made, keeping=keeping)
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert is_open(world)
    world.time.now += 7200
    assert resumed(world).kind is OutcomeKind.APPLIED
    assert found(world, keeping.run.id).outcome.kind is OutcomeKind.APPLIED
    assert len(world.updates) == 1


@pytest.mark.parametrize("settle", ["resume", "apply"])
def test_a_failed_job_is_told_with_its_reason_and_stands_in_nobodys_way(world: World, settle: str) -> None:
    world.fault(f"job_failed,{ON_UPDATE}")
    run = world.die(world.plan(document(policy(12))), "waiting")
    if settle == "resume":
        outcome = resumed(world)
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.hint == "live is as it was before"
        assert "Reason: Resource handler returned message" in outcome.detail
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    record = found(world, run)
    assert record.outcome.kind is OutcomeKind.FAILED
    assert "Reason: Resource handler returned message" in record.outcome.detail
    assert PLANTED_JOB_SECRET not in repr(record)
    assert len(world.updates) == 2


def test_a_failed_job_that_nobody_named_did_nothing_whosever_it_is(world: World) -> None:
    world.fault(f"job_failed,{ON_UPDATE}")
    world.die(world.plan(document(policy(12))), "sent")
    outcome = resumed(world)
    assert outcome.kind is OutcomeKind.FAILED
    assert "which may be another's" in outcome.summary
    assert not is_open(world)


@pytest.mark.parametrize("moment", AFTER_SENDING)
def test_what_moved_along_is_still_seen_after_a_resume(world: World, moment: str) -> None:
    world.fault(f"collateral,{ON_UPDATE}")
    world.die(world.plan(document(nested(GUESTS, value=False))), moment)
    outcome = resumed(world)
    # Nobody knows whose the job was that was never named.
    assert outcome.kind is (OutcomeKind.UNKNOWN if moment == "sent" else OutcomeKind.UNVERIFIED)
    assert codes(outcome) == ["moved", "moved-in-meta"]
    assert "MinimumLength moved and was not planned: 8 -> 20" in outcome.findings[0].summary
    assert outcome.collateral is not None
    assert [change.path for change in outcome.collateral.changes] == [LENGTH]


@pytest.mark.parametrize("moment", AFTER_SENDING)
def test_what_moved_in_the_meta_is_still_seen_although_no_value_of_it_was_kept(world: World, moment: str) -> None:
    made = world.plan(document(policy(12)))
    reader = world.services.reader_of(only(made).desired)
    meta = reader.get_backend(only(made).target.app, "prod").meta_config
    assert meta is not None
    pool = json.loads(meta)["auth"]["shopauth"]["output"]["UserPoolId"]
    world.fault(f"meta_collateral,{ON_UPDATE}")
    world.die(made, moment)
    (journal,) = [data for name, data in world.kept().items() if name.startswith("journal/")]
    assert b"UserPoolId" in journal
    assert pool.encode() not in journal
    outcome = resumed(world)
    assert outcome.kind is (OutcomeKind.UNKNOWN if moment == "sent" else OutcomeKind.UNVERIFIED)
    assert codes(outcome) == ["moved-in-meta"]
    assert "output.UserPoolId" in outcome.findings[0].summary


def test_a_result_that_can_not_be_read_is_looked_at_again_by_the_next_resume(world: World) -> None:
    world.die(world.plan(document(policy(12))), "ended")
    world.fault("empty,operation=GetBackendAuth,times=6")
    outcome = resumed(world)
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["unread"])
    assert is_open(world)
    assert resumed(world).kind is OutcomeKind.APPLIED
    assert not is_open(world)
    assert len(world.updates) == 1


def test_jobs_that_can_not_be_listed_leave_the_journal_open(world: World) -> None:
    world.die(world.plan(document(policy(12))), "sent")
    world.fault("access_denied,operation=ListBackendJobs")
    outcome = resumed(world)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert "amplifybackend:ListBackendJobs" in outcome.summary
    assert is_open(world)
    assert resumed(world).kind is OutcomeKind.APPLIED


# --- secrets ------------------------------------------------------------------------------------


def with_secrets(world: World) -> Plan:
    """A plan that rotates a secret which no read can compare."""
    world.seed(configuration(providers=True))
    world.switch("secrets=absent", "apple_key=absent")
    written: dict[str, Any] = {}
    for provider, members in PROVIDERS.items():
        hidden = "PrivateKey" if provider == "SignInWithApple" else "ClientSecret"
        world.environ[f"SECRET_{provider}"] = SECRETS[provider]
        written[provider] = {**members, hidden: f"${{env:SECRET_{provider}}}"}
    oauth = {"OAuthGrantType": "IMPLICIT", "SocialProviderSettings": written}
    return world.plan(document({"UserPoolConfigs": {"OAuth": oauth}}))


def test_beside_hidden_secrets_what_can_be_read_tells_that_an_update_did_not_land(world: World) -> None:
    made = with_secrets(world)
    world.die(made, "journalled")
    outcome = resumed(world)
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.summary.startswith("the update did not land: run ")
    assert not is_open(world)
    assert world.apply_all(made)[0].kind is OutcomeKind.APPLIED
    assert len(world.updates) == 1


def test_an_unknown_outcome_is_looked_at_once_more_and_then_a_third_apply_goes_on(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.fault(f"drop_before,{ON_UPDATE}")
    first = world.keeping(made)

    def meanwhile(seconds: float) -> None:
        if world.updates:
            world.seed(configuration() | {"AuthResources": "USER_POOL_ONLY"})
        world.time.sleep(seconds)

    (outcome,) = world.apply_all(made, keeping=first, sleep=meanwhile)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert outcome.detail == "live is neither as it was before nor as planned"
    assert is_open(world)
    other = world.plan(document(policy(14)))
    (second,) = world.apply_all(other)
    assert second.kind is OutcomeKind.UNKNOWN
    assert f"the update of run {first.run.id} comes first" in second.summary
    assert not is_open(world)
    assert len(world.updates) == 1
    (third,) = world.apply_all(other)
    assert third.kind is OutcomeKind.APPLIED
    assert len(world.updates) == 2


@pytest.mark.parametrize("secrets", ["clear", "masked", "absent"])
@pytest.mark.parametrize("moment", AFTER_SENDING)
def test_an_update_that_sent_secrets_and_landed_is_found_to_have_landed(
    world: World, secrets: str, moment: str
) -> None:
    made = with_secrets(world)
    world.switch(f"secrets={secrets}", f"apple_key={secrets}")
    made = world.plan(document({"UserPoolConfigs": {"OAuth": {"OAuthGrantType": "IMPLICIT", **providers_of(made)}}}))
    world.die(made, moment)
    outcome = resumed(world)
    # Its job was not named, and no read shows these secrets: it may have been another's.
    unseen = ["secret-unseen"] if moment == "sent" and secrets != "clear" else []
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.APPLIED, unseen)
    assert not is_open(world)
    assert len(world.updates) == 1


def providers_of(made: Plan) -> dict[str, Any]:
    """The providers as a plan's document writes them, references and all."""
    written: dict[str, Any] = {}
    for path, setting in only(made).desired.settings.items():
        if path[2:3] == ("SocialProviderSettings",):
            value = getattr(setting.value, "text", setting.value)
            written.setdefault(path[3], {})[path[4]] = value
    return {"SocialProviderSettings": written}


# --- the hosted domain --------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("written", [None, "shop-signin", "shop-signin-prod"])
def test_a_domain_that_is_read_with_the_environment_behind_it_is_no_movement(
    world: World, moment: str, written: str | None
) -> None:
    world.switch("domain=suffix")
    oauth = {} if written is None else {"OAuth": {"DomainPrefix": written}}
    world.die(world.plan(document(policy(12, **oauth))), moment)
    world.time.now += LANDED
    outcome = resumed(world)
    assert outcome.findings == ()
    if moment == "journalled":
        assert (outcome.kind, "did not land" in outcome.summary) == (OutcomeKind.FAILED, True)
    else:
        assert outcome.kind is OutcomeKind.APPLIED
    assert world.live()["UserPoolConfigs"]["OAuth"]["DomainPrefix"] == "shop-signin"


# --- several targets ----------------------------------------------------------------------------


def both(world: World, length: int = 12) -> Plan:
    """A plan of two environments."""
    return world.plan(*(document(policy(length), environment=name, name=name) for name in ("dev", "prod")))


@pytest.mark.parametrize("moment", MOMENTS)
def test_of_two_targets_only_the_one_that_was_left_open_is_settled(world: World, moment: str) -> None:
    world.seed(environment="dev")
    run = world.die(both(world), moment, skip=skipped(moment))
    world.time.now += LANDED
    assert [entry.intent.plan.name for entry in world.ledger.all_under_way()] == ["prod"]
    (outcome,) = world.resume()
    assert outcome.name == "prod"
    assert outcome.kind is (OutcomeKind.FAILED if moment == "journalled" else OutcomeKind.APPLIED)
    records = world.ledger.found(run)
    assert [record.plan.name for record in records] == ["dev", "prod"]
    assert [record.resumes for record in records] == [None, run]
    assert len(world.updates) == (1 if moment == "journalled" else 2)


def skipped(moment: str) -> int:
    """How many such moments the first of two targets has, with a job of two minutes and two reads of proof."""
    return 13 if moment == "waiting" else 1


def test_a_target_that_the_run_did_not_come_to_is_left_as_it_was(world: World) -> None:
    world.seed(environment="dev")
    run = world.die(both(world), "waiting")
    (outcome,) = world.resume()
    assert (outcome.name, outcome.kind) == ("dev", OutcomeKind.APPLIED)
    assert [record.plan.name for record in world.ledger.found(run)] == ["dev"]
    assert (length_of(world, "dev"), length_of(world)) == (12, 8)
    assert len(world.updates) == 1


def test_a_later_apply_settles_one_target_and_updates_both(world: World) -> None:
    world.seed(environment="dev")
    world.die(both(world), "waiting")
    world.time.now += LANDED
    outcomes = world.apply_all(both(world, 14))
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.APPLIED] * 2
    assert (length_of(world, "dev"), length_of(world)) == (14, 14)
    assert len(world.updates) == 3


def test_one_target_that_can_not_be_settled_keeps_the_others_from_being_sent(world: World) -> None:
    world.seed(environment="dev")
    world.fault(f"job_stuck,{ON_UPDATE}")
    world.die(both(world), "waiting")
    outcomes = world.apply_all(both(world, 14))
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.TIMED_OUT, OutcomeKind.SKIPPED]
    assert len(world.updates) == 1


def test_two_runs_that_died_are_settled_each_by_itself(world: World) -> None:
    world.seed(environment="dev")
    first = world.die(world.plan(document(policy(12), environment="dev", name="dev")), "waiting")
    second = world.die(world.plan(document(policy(14), name="prod")), "sent")
    outcomes = {outcome.name: outcome.kind for outcome in world.resume()}
    assert outcomes == {"dev": OutcomeKind.APPLIED, "prod": OutcomeKind.APPLIED}
    assert (found(world, first).plan.name, found(world, second).plan.name) == ("dev", "prod")
    assert len({record.run.id for record in world.records()}) == 2
    assert len(world.updates) == 2


# --- who else is there --------------------------------------------------------------------------


def test_a_journal_that_another_run_settled_meanwhile_is_left_alone(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")
    opened = world.ledger.all_under_way()
    world.resume()
    kept = world.kept()
    (outcome,) = world.resume(opened=opened)
    assert (outcome.kind, outcome.summary) == (OutcomeKind.UNCHANGED, "another run has settled it")
    unlocked = {name: data for name, data in world.kept().items() if not name.startswith("locks/")}
    assert unlocked == {name: data for name, data in kept.items() if not name.startswith("locks/")}


def test_an_update_that_came_after_the_one_that_is_to_be_resumed_is_left_alone(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")
    opened = world.ledger.all_under_way()
    world.resume()
    later = world.die(world.plan(document(policy(14))), "waiting")
    (outcome,) = world.resume(opened=opened)
    assert outcome.kind is OutcomeKind.UNCHANGED
    (still,) = world.ledger.all_under_way()
    assert still.intent.run.id == later


def test_a_target_that_somebody_holds_is_not_resumed(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, "waiting")
    before = world.ledger.all_under_way()
    held = world.ledger.leases.acquire(
        key_of(only(made).target),
        Holder("shop", "another-run", "her@there", "2026-01-01T00:00:00Z"),
        timeout=0,
        now=world.time,
        sleep=world.time.sleep,
    )
    outcome = resumed(world)
    held.release()
    assert (outcome.kind, "another-run" in outcome.detail) == (OutcomeKind.LOCKED, True)
    assert world.ledger.all_under_way() == before
    assert world.records() == ()


def test_whoever_was_overtaken_says_that_another_run_has_settled_its_update_too(world: World) -> None:
    made = world.plan(document(policy(12)))
    settled: list[Outcome] = []

    def meanwhile(seconds: float) -> None:
        world.time.sleep(seconds)
        if world.updates and seconds and not settled:
            leases = world.ledger.leases
            world.services.books.ledger = replace(world.ledger, leases=MemoryLeases())
            settled.append(resumed(world))
            world.services.books.ledger = replace(world.ledger, leases=leases)

    (outcome,) = world.apply_all(made, sleep=meanwhile)
    assert (outcome.kind, settled[0].kind) == (OutcomeKind.APPLIED, OutcomeKind.APPLIED)
    assert (codes(outcome), outcome.unrecorded) == (["settled-too"], False)
    assert len(world.records()) == 2
    assert not is_open(world)


def loses_the_answer(world: World, key: str, *, of: int) -> None:
    """The write is one, and its answer is lost."""
    written: list[str] = []

    def after(where: str, _data: bytes, _tag: str | None) -> None:
        if where.startswith(key):
            written.append(where)
            if len(written) == of:
                raise LedgerProblem("no answer")

    ledger = world.ledger
    world.services.books.ledger = replace(ledger, store=Watched(ledger.store, after=after))


@pytest.mark.parametrize("write", [2, 3], ids=["naming the job", "closing"])
def test_a_write_of_the_journal_whose_answer_was_lost_is_one(world: World, write: int) -> None:
    loses_the_answer(world, "journal/", of=write)
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.APPLIED, [])
    assert not is_open(world)
    (record,) = world.records()
    assert record.jobs


def test_what_another_run_settled_while_one_was_asked_is_not_given_up(world: World) -> None:
    made = world.plan(document(policy(12)))
    run = world.die(made, "waiting")
    opened = world.ledger.all_under_way()
    world.time.now += LANDED
    assert resumed(world).kind is OutcomeKind.APPLIED
    following = Following(world.clock(), Waiting(), silent)
    (outcome,) = give_up(opened, keeping=world.keeping(made, "unlock"), following=following)
    assert (outcome.kind, outcome.summary) == (OutcomeKind.UNCHANGED, "another run has settled it")
    assert found(world, run).outcome.kind is OutcomeKind.APPLIED


def test_the_last_look_is_told_although_the_run_itself_had_it(world: World) -> None:
    """A paused run goes on after another has settled its update as one that did not land."""
    made = world.plan(document(policy(12)))
    settled: list[Outcome] = []

    def before(call: str) -> None:
        if call == "update_auth":
            leases = world.ledger.leases
            world.services.books.ledger = replace(world.ledger, leases=MemoryLeases())
            settled.append(resumed(world))
            world.services.books.ledger = replace(world.ledger, leases=leases)

    keeping = world.keeping(made)
    paused = Between(world.services.writer_of(only(made).desired), before)
    (outcome,) = world.apply_all(made, keeping=keeping, writer_of=lambda _: paused, saved=True)
    assert (settled[0].kind, outcome.kind) == (OutcomeKind.FAILED, OutcomeKind.APPLIED)
    assert codes(outcome) == ["settled-too"]
    assert found(world, keeping.run.id).outcome.kind is OutcomeKind.APPLIED


def breaks_at_dev(world: World) -> None:
    """Recording what became of one target meets a fault of ours."""

    def before(key: str) -> None:
        if key.startswith("runs/") and key.endswith("/dev.json"):
            raise ZeroDivisionError

    ledger = world.ledger
    world.services.books.ledger = replace(ledger, store=Watched(ledger.store, before))


def test_a_fault_of_ours_in_one_target_hides_nothing_of_the_others(world: World) -> None:
    world.seed(environment="dev")
    for name in ("dev", "prod"):
        world.die(world.plan(document(policy(12), environment=name, name=name)), "waiting")
    breaks_at_dev(world)
    outcomes = {outcome.name: outcome for outcome in world.resume()}
    assert {name: outcome.kind for name, outcome in outcomes.items()} == {
        "dev": OutcomeKind.UNKNOWN,
        "prod": OutcomeKind.APPLIED,
    }
    assert outcomes["dev"].summary == "its update was not settled: there was a ZeroDivisionError"


def test_a_fault_of_ours_after_the_sending_does_not_say_that_nothing_was_sent(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    breaks_at_dev(world)
    dev, prod = world.apply_all(made)
    assert (dev.kind, dev.summary) == (OutcomeKind.UNKNOWN, "the update was sent, and then came a ZeroDivisionError")
    assert "list-backend-jobs" in dev.hint
    assert prod.kind is OutcomeKind.APPLIED


def test_stopping_a_resume_leaves_the_journal_open(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")

    def stop(_seconds: float) -> None:
        raise Stopped

    (outcome,) = world.resume(sleep=stop)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert is_open(world)
    assert world.ledger.leases.held() == ()
    assert resumed(world).kind is OutcomeKind.APPLIED


def test_a_target_that_can_not_be_reached_is_denied_and_the_others_are_settled(world: World) -> None:
    world.seed(environment="dev")
    world.die(world.plan(document(policy(12), environment="dev", name="dev")), "waiting")
    world.die(world.plan(document(policy(12), name="prod")), "waiting")

    def writer_of(desired: Desired) -> Gateway:
        if desired.name == "dev":
            raise AccessProblem("no credentials")
        return world.services.writer_of(desired)

    outcomes = {outcome.name: outcome.kind for outcome in world.resume(writer_of=writer_of)}
    assert outcomes == {"dev": OutcomeKind.DENIED, "prod": OutcomeKind.APPLIED}
    assert [entry.intent.plan.name for entry in world.ledger.all_under_way()] == ["dev"]


def test_what_a_resume_records_is_the_interrupted_run_and_who_settled_it(world: World) -> None:
    run = world.die(world.plan(document(policy(12))), "waiting")
    (opened,) = world.ledger.all_under_way()
    outcome = resumed(world)
    (record,) = world.records()
    assert record.run.id.endswith(f"-{run.rpartition('-')[2]}")
    assert (record.run.command, record.resumes, record.sent) == ("resume", run, True)
    assert record.run.digest == opened.intent.run.digest
    assert record.plan == opened.intent.plan
    assert record.outcome == outcome
    assert record.outcome.findings == tuple[Finding, ...]()


def test_a_journal_that_was_damaged_meanwhile_is_a_failure_that_names_it(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")
    opened = world.ledger.all_under_way()
    (journal,) = (world.ledger_folder / "journal").glob("*.json")
    journal.write_text("{", encoding="utf-8")
    (outcome,) = world.resume(opened=opened)
    assert (outcome.kind, journal.name in outcome.summary) == (OutcomeKind.FAILED, True)
    assert world.records() == ()


def test_a_resume_that_is_stopped_before_it_looks_says_so(world: World) -> None:
    world.die(world.plan(document(policy(12))), "waiting")
    opened = world.ledger.all_under_way()

    class Stops(Observer):
        def __call__(self, name: str, message: str) -> None:  # noqa: ARG002 - whatever it is
            raise Stopped

    (outcome,) = resume(
        opened,
        world.services.writer_of,
        keeping=world.keeping(Plan((), ""), "resume"),
        following=Following(world.clock(), Waiting(), Stops()),
    )
    assert (outcome.kind, outcome.summary) == (OutcomeKind.SKIPPED, "its update was not looked at")
    assert world.ledger.all_under_way() == opened
