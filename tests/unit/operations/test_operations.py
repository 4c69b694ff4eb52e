"""Operations over a gateway of our own, for answers that the embedded backend can't give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.gateway import Backend
from reconciler.core.model import Access, Desired, Job, OutcomeKind, Target
from reconciler.core.store import Stored
from reconciler.errors import (
    AccessProblem,
    AnswerLost,
    Diagnostic,
    LedgerProblem,
    NotFound,
    Origin,
    ReadFailed,
    ServiceProblem,
    Severity,
)
from reconciler.operations.apply import apply
from reconciler.operations.fleet import silent
from reconciler.operations.jobs import Clock, Stopped, Waiting, find_started, free_for_us, wait_for
from reconciler.operations.live import read_live
from reconciler.operations.plan import plan
from reconciler.operations.pull import pull
from tests.unit.core.builders import OAUTH, ORIGIN, TARGET, config, desired, secret
from tests.unit.operations.ledgers import MemoryStore, keeping

FRONTEND = {"passwordProtectionSettings": {"passwordPolicyCharacters": []}, "socialProviders": []}
META = json.dumps({"auth": {"shopauth": {"service": "Cognito", "output": {}, "frontendAuthConfig": FRONTEND}}})
LENGTH = "UserPoolConfigs.PasswordPolicy.MinimumLength"
Answer = Any


def of(target: Target) -> Desired:
    """A document that manages nothing of a target."""
    return Desired("shop", target, Access(), {}, Origin("-", 1, 1))


@dataclass
class Double:
    """A gateway that answers from lists; an exception is raised, the last answer repeats."""

    auth: list[Answer] = field(default_factory=lambda: [config()])
    backend: list[Answer] = field(default_factory=lambda: [Backend(("prod",), META)])
    jobs: list[Answer] = field(default_factory=lambda: [()])
    job: list[Answer] = field(default_factory=lambda: [Job("j", "COMPLETED")])
    update: Answer = field(default_factory=lambda: Job("j", "COMPLETED"))
    sent: list[Mapping[str, Any]] = field(default_factory=list)

    def get_auth(self, _target: Target, _hidden: frozenset[tuple[str, ...]] = frozenset()) -> Any:
        return self._next(self.auth)

    def get_backend(self, _app: str, _environment: str | None) -> Any:
        return self._next(self.backend)

    def get_job(self, _target: Target, _job_id: str) -> Any:
        return self._next(self.job)

    def list_jobs(self, _target: Target) -> Any:
        return self._next(self.jobs)

    def update_auth(self, _target: Target, config: Mapping[str, Any]) -> Any:
        self.sent.append(config)
        return self._next([self.update])

    def _next(self, answers: list[Answer]) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Time:
    """A clock that moves only when somebody sleeps; ``stop_after`` sleeps somebody presses Ctrl-C."""

    now: float = 0.0
    stop_after: int | None = None

    @property
    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            if self.stop_after is not None:
                if self.stop_after <= 0:
                    raise Stopped
                self.stop_after -= 1
            self.now += seconds

        return Clock(lambda: self.now, sleep, lambda: datetime.fromtimestamp(self.now, UTC))


def unresolved(document: Desired) -> tuple[Desired, tuple[Diagnostic, ...]]:
    return document, ()


def applied(gateway: Double, time: Time | None = None, resolve: Any = unresolved) -> Any:
    """Plan and apply a longer password through a gateway."""
    planned = plan([desired({LENGTH: 9})], lambda _: Double(auth=[config()]), now="2026-01-01T00:00:00Z")
    clock = (time or Time()).clock
    return apply(planned, lambda _: gateway, resolve, keeping=keeping(), clock=clock, waiting=Waiting(10, 1800, 3))[0]


LONGER = config({"PasswordPolicy": {"MinimumLength": 9}})


def test_an_update_that_lands_is_applied() -> None:
    gateway = Double(auth=[config(), config(), LONGER])
    assert applied(gateway).kind is OutcomeKind.APPLIED
    assert len(gateway.sent) == 1


def test_references_that_no_longer_resolve_stop_before_anything_is_sent() -> None:
    problem = Diagnostic(Severity.ERROR, "unset-reference", "A reference has no value", origin=ORIGIN)
    gateway = Double()
    outcome = applied(gateway, resolve=lambda document: (document, (problem,)))
    assert (outcome.kind, gateway.sent) == (OutcomeKind.FAILED, [])
    assert outcome.findings[0].code == "unset-reference"


def test_a_result_that_cant_be_read_is_unverified() -> None:
    gateway = Double(auth=[config(), config(), ReadFailed("no answer")])
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert outcome.findings[0].code == "unread"


def test_a_result_that_stands_only_in_the_last_read_is_not_proven() -> None:
    gateway = Double(auth=[config(), config(), config(), config(), LONGER])
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert outcome.findings[0].code == "unsettled"


def test_a_failed_job_that_moved_something_is_unverified() -> None:
    gateway = Double(auth=[config(), config(), LONGER], update=Job("j", "FAILED", error="Error: it broke"))
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert "MinimumLength moved although the job failed" in outcome.findings[0].summary


def test_a_failed_job_after_which_nothing_can_be_read_says_so() -> None:
    gateway = Double(auth=[config(), config(), ReadFailed("no answer")], update=Job("j", "FAILED"))
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.FAILED
    assert "not known" in outcome.hint


def test_access_lost_after_sending_leaves_the_outcome_unknown_and_names_the_job() -> None:
    gateway = Double(update=Job("j1", "RUNNING"), job=[AccessProblem("expired")])
    outcome = applied(gateway)
    assert (outcome.kind, outcome.job) == (OutcomeKind.UNKNOWN, "j1")
    assert "get-backend-job" in outcome.hint


def test_polls_that_fail_are_tried_again_until_the_deadline() -> None:
    time = Time()
    gateway = Double(job=[ReadFailed("reset"), NotFound("not yet"), Job("j", "COMPLETED")])
    ended = wait_for(
        gateway, TARGET, Job("j", "RUNNING"), name="t", clock=time.clock, waiting=Waiting(), observer=silent
    )
    assert (ended.status, time.now) == ("COMPLETED", 30)
    with pytest.raises(ReadFailed):
        wait_for(
            Double(job=[ReadFailed("reset")]),
            TARGET,
            Job("j", "RUNNING"),
            name="t",
            clock=time.clock,
            waiting=Waiting(10, 60),
            observer=silent,
        )


def test_a_lost_answer_after_which_nobody_can_say_is_unknown() -> None:
    other = config({"Mfa": {"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": "{####}"}}})
    gateway = Double(auth=[config(), config(), other], update=AnswerLost("504"))
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert "list-backend-jobs" in outcome.hint
    assert len(gateway.sent) == 1


def test_a_lost_answer_that_landed_without_a_job_is_verified() -> None:
    gateway = Double(auth=[config(), config(), LONGER], update=AnswerLost("504"))
    assert applied(gateway).kind is OutcomeKind.APPLIED


def test_the_newest_unknown_update_job_is_taken_for_ours_and_lists_that_fail_are_tried_again() -> None:
    jobs = (
        Job("old", "COMPLETED", "UpdateBackendAuth", created=1),
        Job("api", "RUNNING", "UpdateBackendAPI", created=9),
        Job("one", "RUNNING", "UpdateBackendAuth", created=5),
        Job("two", "RUNNING", "UpdateBackendAuth", created=7),
    )
    gateway = Double(jobs=[ReadFailed("reset"), (), jobs])
    found = find_started(gateway, TARGET, frozenset({"old"}), clock=Time().clock, waiting=Waiting())
    assert found is not None
    assert found.id == "two"


def test_jobs_that_cant_be_listed_stop_an_update_before_it_is_sent() -> None:
    gateway = Double(jobs=[AccessProblem("denied")])
    outcome = applied(gateway)
    assert (outcome.kind, gateway.sent) == (OutcomeKind.DENIED, [])
    with pytest.raises(ReadFailed) as caught:
        free_for_us(
            Double(jobs=[ReadFailed("no answer")]),
            TARGET,
            name="shop",
            clock=Time().clock,
            waiting=Waiting(),
            observer=silent,
        )
    assert "find it again" in caught.value.hint


def test_jobs_that_cant_be_listed_after_a_lost_answer_leave_the_outcome_unknown() -> None:
    gateway = Double(jobs=[(), (), ReadFailed("reset")], update=AnswerLost("504"))
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert len(gateway.sent) == 1


def test_a_lost_answer_after_which_live_is_unchanged_did_not_land() -> None:
    outcome = applied(Double(update=AnswerLost("504")))
    assert outcome.kind is OutcomeKind.FAILED
    assert "did not land" in outcome.summary


def test_a_secret_that_nobody_can_read_any_more_leaves_a_lost_answer_unknown() -> None:
    key = "UserPoolConfigs.OAuth.SocialProviderSettings.Google.ClientSecret"
    google = {"ClientId": "id"}
    hidden = {"OAuth": {**OAUTH, "SocialProviderSettings": {"Google": google}}}
    shown = {"OAuth": {**OAUTH, "SocialProviderSettings": {"Google": {**google, "ClientSecret": "GOCSPX-old-secret"}}}}
    document = desired({key: secret("GOCSPX-new-secret")})
    planned = plan([document], lambda _: Double(auth=[config(shown)]), now="")

    def resolve(_document: Desired) -> tuple[Desired, tuple[Diagnostic, ...]]:
        return document, ()

    gateway = Double(auth=[config(shown), config(shown), config(hidden)], update=AnswerLost("504"))
    (outcome,) = apply(
        planned, lambda _: gateway, resolve, keeping=keeping(), clock=Time().clock, waiting=Waiting(10, 1800, 3)
    )
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert outcome.detail == f"no read can tell whether {key} arrived"


def test_a_job_that_may_be_anothers_proves_nothing() -> None:
    job = Job("other", "COMPLETED", "UpdateBackendAuth")
    gateway = Double(jobs=[(), (), (job,)], update=AnswerLost("504"))
    outcome = applied(gateway)
    assert (outcome.kind, outcome.job) == (OutcomeKind.UNKNOWN, "other")


def test_a_failed_job_that_may_be_anothers_is_not_ours() -> None:
    job = Job("other", "FAILED", "UpdateBackendAuth", "Error: somebody else's")
    outcome = applied(Double(jobs=[(), (), (job,)], update=AnswerLost("504")))
    assert (outcome.kind, outcome.job) == (OutcomeKind.FAILED, "other")
    said = "job other failed, which may be another's, and no other appeared"
    assert outcome.summary == f"the update did not land: {said}, and live is unchanged"
    assert outcome.detail.endswith("and is not repeated"), "it may quote secrets of theirs"
    assert "somebody else" not in repr(outcome)
    assert "get-backend-job" in outcome.hint


def test_after_a_failed_job_that_may_be_anothers_our_own_is_looked_for() -> None:
    theirs = Job("other", "FAILED", "UpdateBackendAuth", "Error: somebody else's", created=1)
    ours = Job("ours", "COMPLETED", "UpdateBackendAuth", created=2)
    gateway = Double(
        auth=[config(), config(), LONGER], jobs=[(), (), (theirs,), (theirs,), (theirs, ours)], update=AnswerLost("504")
    )
    outcome = applied(gateway)
    assert (outcome.kind, outcome.job) == (OutcomeKind.APPLIED, "ours")


def test_stopping_after_a_failed_job_keeps_its_reason() -> None:
    gateway = Double(update=Job("j1", "FAILED", error="Error: it broke"))
    outcome = applied(gateway, Time(stop_after=2))
    assert (outcome.kind, outcome.detail) == (OutcomeKind.FAILED, "Error: it broke")
    done = applied(Double(auth=[config(), config(), LONGER]), Time(stop_after=2))
    assert "was not verified" in done.summary


def test_a_fault_in_one_target_hides_no_outcome_of_another() -> None:
    one = desired({LENGTH: 9})
    other = replace(one, name="other", target=replace(TARGET, environment="dev"))
    planned = plan([one, other], lambda _: Double(), now="")
    good = Double(auth=[config(), config(), LONGER])
    bad = Double(auth=[config(), ZeroDivisionError()])
    gateways = {"shop-prod": good, "other": bad}
    outcomes = apply(
        planned,
        lambda document: gateways[document.name],
        unresolved,
        keeping=keeping(),
        clock=Time().clock,
        waiting=Waiting(10, 1800, 3),
    )
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.APPLIED, OutcomeKind.FAILED]
    assert "nothing was sent" in outcomes[1].summary


def test_a_meta_that_tells_of_something_new_makes_a_plan_stale() -> None:
    def told(characters: list[str]) -> Backend:
        policy = {"passwordProtectionSettings": {"passwordPolicyCharacters": characters}}
        return Backend(
            ("prod",), json.dumps({"auth": {"shopauth": {"service": "Cognito", "frontendAuthConfig": policy}}})
        )

    planned = plan([desired({LENGTH: 9})], lambda _: Double(backend=[told([])]), now="")
    gateway = Double(backend=[told(["REQUIRES_NUMBERS"])])
    (outcome,) = apply(
        planned, lambda _: gateway, unresolved, keeping=keeping(), clock=Time().clock, waiting=Waiting(10, 1800, 3)
    )
    assert (outcome.kind, gateway.sent) == (OutcomeKind.STALE, [])


def test_a_fault_of_ours_after_sending_hides_nothing() -> None:
    gateway = Double(update=Job("j1", "RUNNING"), job=[ZeroDivisionError()])
    outcome = applied(gateway)
    assert (outcome.kind, outcome.job) == (OutcomeKind.UNKNOWN, "j1")
    assert "ZeroDivisionError" in outcome.summary


def test_a_failed_job_after_which_the_pool_is_another_is_told() -> None:
    def backend(pool: str) -> Backend:
        return Backend(("prod",), META.replace('"output": {}', f'"output": {{"Id": "{pool}"}}'))

    gateway = Double(backend=[backend("a"), backend("a"), backend("b")], update=Job("j", "FAILED"))
    outcome = applied(gateway)
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert "auth.shopauth.output.Id" in outcome.findings[0].summary


def test_stopping_right_before_the_update_sends_nothing() -> None:
    for moments in (0, 1):
        gateway = Double()
        assert applied(gateway, Time(stop_after=moments)).kind is OutcomeKind.SKIPPED
        assert gateway.sent == []


def test_an_answer_of_a_shape_that_none_has_is_a_failed_read() -> None:
    (failure,) = plan(
        [desired({LENGTH: 9})], lambda _: Double(auth=[config({"Mfa": {"MFAMode": {}}})]), now=""
    ).failures
    assert "UserPoolConfigs.Mfa.MFAMode" in failure.summary


def test_what_was_stopped_before_its_update_is_skipped() -> None:
    gateway = Double()
    assert applied(gateway, Time(stop_after=0)).kind is OutcomeKind.SKIPPED
    assert gateway.sent == []


def test_stopping_during_the_wait_says_that_the_job_goes_on() -> None:
    gateway = Double(update=Job("j1", "RUNNING"), job=[Job("j1", "RUNNING")])
    outcome = applied(gateway, Time(stop_after=3))
    assert (outcome.kind, outcome.job) == (OutcomeKind.UNKNOWN, "j1")
    assert "its job goes on" in outcome.summary


def test_a_backend_without_meta_guards_every_change() -> None:
    reader = Double(backend=[Backend(("prod",), None)])
    written: dict[str, Any] = {LENGTH: 9, "UserPoolConfigs.PasswordPolicy.AdditionalConstraints": None}
    (planned,) = plan([desired(written)], lambda _: reader, now="").planned
    assert [guard.code for guard in planned.guards] == ["unseen-settings"]


def test_a_meta_that_is_no_json_is_a_failed_read() -> None:
    reader = Double(backend=[Backend(("prod",), "nonsense")])
    (failure,) = plan([desired({LENGTH: 9})], lambda _: reader, now="").failures
    assert "not JSON" in failure.summary


def test_a_gateway_that_cant_be_made_fails_its_target_alone() -> None:
    def reader_of(document: Desired) -> Double:
        if document.name == "shop-prod":
            raise AccessProblem("no credentials")
        return Double()

    made = plan([desired({LENGTH: 9})], reader_of, now="")
    assert made.failures[0].kind.value == "access"


def test_a_document_that_lacks_something_fails_with_its_diagnostics() -> None:
    (failure,) = plan([desired({"UserPoolConfigs.Mfa.MFAMode": "OPTIONAL"})], lambda _: Double(), now="").failures
    assert len(failure.diagnostics) == 2


@pytest.mark.parametrize(
    ("backend", "says"),
    [
        ([NotFound("gone")], "there is no Amplify backend for app d2k7example in us-east-1"),
        ([AccessProblem("denied")], "denied"),
        ([Backend(("dev",), None)], "has no backend environment prod"),
        ([Backend(("prod",), None), Backend(("prod",), '{"auth": {}}')], "has no auth resource shopauth"),
        ([Backend(("prod",), None), ReadFailed("no answer")], "has no auth resource shopauth"),
        ([Backend((), None)], "has no auth resource shopauth"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(backend: list[Answer], says: str) -> None:
    with pytest.raises(ServiceProblem) as caught:
        read_live(Double(auth=[NotFound("404")], backend=backend), of(TARGET), with_meta=False)
    assert says in caught.value.summary


def test_a_read_that_failed_is_no_auth_only_when_the_meta_says_so() -> None:
    def problem(backend: Answer) -> ServiceProblem:
        with pytest.raises(ServiceProblem) as caught:
            read_live(Double(auth=[ReadFailed("error in a 200")], backend=[backend]), of(TARGET), with_meta=False)
        return caught.value

    assert isinstance(problem(Backend(("prod",), '{"auth": {}}')), NotFound)
    for backend in (Backend(("prod",), META), Backend(("prod",), None), Backend(("prod",), "x"), ReadFailed("no")):
        assert isinstance(problem(backend), ReadFailed)


def test_a_domain_in_doubt_is_settled_by_the_hosted_domain() -> None:
    meta = {"auth": {"shopauth": {"service": "Cognito", "output": {"HostedUIDomain": "shop-prod"}}}}
    reader = Double(
        auth=[config({"OAuth": {**OAUTH, "DomainPrefix": "shop-prod"}})],
        backend=[Backend(("prod",), json.dumps(meta))],
    )
    live = read_live(reader, of(TARGET), with_meta=False)
    assert live.tree is not None
    assert live.tree["UserPoolConfigs"]["OAuth"]["DomainPrefix"] == "shop"
    assert (live.domain_read, live.domain_settled) == ("shop-prod", True)


@pytest.mark.parametrize("resources", [{}, {"a": {"service": "Cognito"}, "b": {"service": "Cognito"}}])
def test_pull_finds_one_resource_or_says_why_not(resources: dict[str, Any]) -> None:
    unnamed = of(Target("d2k7example", "prod", "", "us-east-1"))
    reader = Double(backend=[Backend(("prod",), json.dumps({"auth": resources}))])
    with pytest.raises(NotFound) as caught:
        pull(reader, unnamed)
    assert ("several" in caught.value.summary) == bool(resources)
    assert pull(Double(), unnamed).target.resource == "shopauth"


def test_pull_without_a_meta_asks_for_the_resources_name() -> None:
    with pytest.raises(ReadFailed, match="AmplifyMetaConfig"):
        pull(Double(backend=[Backend(("prod",), None)]), of(Target("d2k7example", "prod", "", "us-east-1")))


# --- what ends an apply before anything is sent, and what a ledger on a bad day leaves open ------


def test_a_target_that_can_not_be_reached_is_denied_before_anything_is_read() -> None:
    planned = plan([desired({LENGTH: 9})], lambda _: Double(), now="")

    def gateway_of(_document: Desired) -> Double:
        raise AccessProblem("no credentials")

    (outcome,) = apply(planned, gateway_of, unresolved, keeping=keeping(), clock=Time().clock, waiting=Waiting())
    assert (outcome.kind, outcome.summary) == (OutcomeKind.DENIED, "no credentials")


def test_what_moved_right_before_the_update_stops_it() -> None:
    gateway = Double(auth=[config(), config({"PasswordPolicy": {"MinimumLength": 7}})])
    outcome = applied(gateway)
    assert (outcome.kind, gateway.sent) == (OutcomeKind.STALE, [])
    assert [finding.summary for finding in outcome.findings] == [f"{LENGTH} moved since the plan was made"]


def test_a_target_without_a_plan_fails_as_it_did_when_planned_and_keeps_the_others_from_being_sent() -> None:
    one = desired({LENGTH: 9})
    other = replace(one, name="other", target=replace(TARGET, environment="dev"))
    readers = {"shop-prod": Double(), "other": Double(auth=[AccessProblem("expired", hint="log in")])}
    planned = plan([one, other], lambda document: readers[document.name], now="")
    gateway, kept = Double(), keeping()
    outcomes = apply(planned, lambda _: gateway, unresolved, keeping=kept, clock=Time().clock, waiting=Waiting())
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SKIPPED, OutcomeKind.FAILED]
    assert (outcomes[1].name, outcomes[1].summary, outcomes[1].hint) == ("other", "expired", "log in")
    assert (gateway.sent, [name for _, name in kept.ledger.runs()]) == ([], ["shop-prod"])


@dataclass
class Failing(MemoryStore):
    """A place whose journal can neither be read nor written once a record is there."""

    def get(self, key: str) -> Stored | None:
        if key.startswith("journal/") and self.list("runs/"):
            raise LedgerProblem("memory can't be read")
        return super().get(key)


def test_a_journal_that_can_be_neither_closed_nor_read_is_told_as_open() -> None:
    planned = plan([desired({LENGTH: 9})], lambda _: Double(), now="")
    gateway = Double(auth=[config(), config(), LONGER])
    (outcome,) = apply(
        planned,
        lambda _: gateway,
        unresolved,
        keeping=keeping(Failing()),
        clock=Time().clock,
        waiting=Waiting(10, 1800, 3),
    )
    assert outcome.kind is OutcomeKind.APPLIED
    assert [finding.code for finding in outcome.findings] == ["unrecorded"]
    assert outcome.findings[0].summary == "its journal could not be closed: memory can't be read"
