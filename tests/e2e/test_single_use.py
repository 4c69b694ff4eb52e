"""A saved plan applies once, to what it was made for, while it is fresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.gateway import Gateway
from reconciler.core.model import EMBEDDED, Access, Desired, Outcome, OutcomeKind, Plan, Target, TargetPlan
from reconciler.errors import LedgerProblem, PlanRefused
from reconciler.operations.binding import Reached, check_age, check_binding
from reconciler.operations.jobs import Stopped
from tests.e2e.conftest import Fate, World, codes, configuration, document, only, policy
from tests.unit.core.builders import ORIGIN, TARGET
from tests.unit.operations.ledgers import Died, Watched

ON_UPDATE = "operation=UpdateBackendAuth"


def apply_saved(world: World, made: Plan) -> Outcome:
    (outcome,) = world.apply_all(made, saved=True)
    return outcome


def refusal(check: Callable[[], None]) -> PlanRefused:
    with pytest.raises(PlanRefused) as caught:
        check()
    return caught.value


# --- once ---------------------------------------------------------------------------------------


def test_a_saved_plan_applies_once_and_says_which_run_used_it(world: World) -> None:
    made = world.plan(document(policy(12)))
    keeping = world.keeping(made)
    (first,) = world.apply_all(made, saved=True, keeping=keeping)
    world.seed()
    again = apply_saved(world, made)
    assert (first.kind, again.kind) == (OutcomeKind.APPLIED, OutcomeKind.STALE)
    assert again.summary == f"the plan was used before, by run {keeping.run.id}"
    assert f"history {keeping.run.id}" in again.hint
    assert len(world.updates) == 1, "although live is again as the plan was made for"


def test_the_same_plan_of_documents_may_be_made_and_applied_again(world: World) -> None:
    made = world.plan(document(policy(12)))
    assert world.apply_all(made)[0].kind is OutcomeKind.APPLIED
    world.seed()
    assert world.apply_all(made)[0].kind is OutcomeKind.APPLIED
    assert len(world.updates) == 2


def test_a_plan_that_was_made_anew_is_another_plan(world: World) -> None:
    made = world.plan(document(policy(12)))
    assert apply_saved(world, made).kind is OutcomeKind.APPLIED
    world.seed()
    assert apply_saved(world, replace(made, created="2026-01-02T00:00:00Z")).kind is OutcomeKind.APPLIED


def test_a_plan_whose_job_failed_is_used_up(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.fault(f"job_failed,{ON_UPDATE}")
    assert apply_saved(world, made).kind is OutcomeKind.FAILED
    assert apply_saved(world, made).kind is OutcomeKind.STALE
    assert len(world.updates) == 1


def test_a_plan_of_two_targets_is_used_up_once_one_of_them_was_sent(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    world.fault(f"throttle,{ON_UPDATE},environment=prod")
    first = world.apply_all(made, saved=True)
    assert [outcome.kind for outcome in first] == [OutcomeKind.APPLIED, OutcomeKind.FAILED]
    again = world.apply_all(made, saved=True)
    assert [outcome.kind for outcome in again] == [OutcomeKind.STALE] * 2
    assert len(world.updates) == 2


def test_a_plan_of_which_one_target_landed_is_used_up_although_another_did_not_land(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    world.die(made, "journalled", skip=1, saved=True)
    assert [sent.body["BackendEnvironmentName"] for sent in world.updates] == ["dev"]
    world.seed(environment="dev")
    again = world.apply_all(made, saved=True)
    assert [outcome.kind for outcome in again] == [OutcomeKind.STALE] * 2
    assert len(world.updates) == 1, "although live is again as the plan was made for"


def test_a_plan_of_which_another_target_is_still_under_way_is_not_given_back(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    fate, keeping = Fate("journalled", skip=1), world.keeping(made)

    def mortal(desired: Desired) -> Gateway:
        return fate.gateway(world.services.writer_of(desired))

    def stop(seconds: float) -> None:
        if world.updates and seconds:
            raise Stopped
        world.time.sleep(seconds)

    with pytest.raises(Died):
        world.apply_all(made, saved=True, keeping=keeping, writer_of=mortal, sleep=stop)
    opened = {entry.intent.plan.name: entry for entry in world.ledger.all_under_way()}
    assert set(opened) == {"dev", "prod"}
    (outcome,) = world.resume(opened=[opened["prod"]])
    assert outcome.summary.startswith("the update did not land")
    assert world.ledger.used_by(keeping.run.digest) == keeping.run.id


def test_a_resume_gives_a_plan_back_of_which_nothing_landed(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.die(made, "journalled", saved=True)
    (outcome,) = world.resume()
    assert (outcome.kind, outcome.hint) == (OutcomeKind.FAILED, "apply again")
    assert apply_saved(world, made).kind is OutcomeKind.APPLIED


def test_a_target_without_changes_stays_unchanged_in_a_plan_that_was_used(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(
        document(policy(8), environment="dev", name="same"), document(policy(12), environment="prod", name="other")
    )
    world.apply_all(made, saved=True)
    again = world.apply_all(made, saved=True)
    assert [outcome.kind for outcome in again] == [OutcomeKind.UNCHANGED, OutcomeKind.STALE]


def overtaken_at_the_claim(world: World, made: Plan) -> str:
    """The id of a run that takes the plan right before the next one does."""
    ledger, other = world.ledger, world.keeping(made)
    raced: list[str] = []

    def before(key: str) -> None:
        if key.startswith("plans/") and not raced:
            raced.append(key)
            ledger.claim(other.run.digest, other.run)

    world.services.books.ledger = replace(ledger, store=Watched(ledger.store, before))
    return other.run.id


def test_a_plan_that_another_run_takes_at_the_same_moment_is_not_sent(world: World) -> None:
    made = world.plan(document(policy(12)))
    other = overtaken_at_the_claim(world, made)
    outcome = apply_saved(world, made)
    assert (outcome.kind, other in outcome.summary) == (OutcomeKind.STALE, True)
    assert world.updates == ()


def test_a_target_without_changes_stays_unchanged_in_a_plan_that_another_run_takes_at_the_same_moment(
    world: World,
) -> None:
    world.seed(environment="dev")
    made = world.plan(document(policy(8), environment="dev", name="same"), document(policy(12), name="other"))
    overtaken_at_the_claim(world, made)
    outcomes = world.apply_all(made, saved=True)
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.UNCHANGED, OutcomeKind.STALE]
    assert world.updates == ()


# --- and again where nothing was sent ------------------------------------------------------------


def stale(world: World) -> Callable[[], None]:
    moved = configuration()
    moved["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
    world.seed(moved)
    return world.seed


def refused(world: World) -> Callable[[], None]:
    world.fault(f"throttle,{ON_UPDATE}")
    return lambda: None


def denied(world: World) -> Callable[[], None]:
    world.fault(f"access_denied,{ON_UPDATE}")
    return lambda: None


def busy(world: World) -> Callable[[], None]:
    world.elsewhere()
    return lambda: world.time.sleep(300)


def busy_at_the_last_moment(world: World) -> Callable[[], None]:
    text = "There is already a pending job for the requested appId: d1example"
    world.fault(f"error,{ON_UPDATE},text={text}")
    return lambda: None


@pytest.mark.parametrize(
    ("happens", "kind"),
    [
        (stale, OutcomeKind.STALE),
        (refused, OutcomeKind.FAILED),
        (denied, OutcomeKind.DENIED),
        (busy, OutcomeKind.LOCKED),
        (busy_at_the_last_moment, OutcomeKind.LOCKED),
    ],
)
def test_a_plan_of_which_nothing_was_sent_can_be_tried_again(
    world: World, happens: Callable[[World], Callable[[], None]], kind: OutcomeKind
) -> None:
    made = world.plan(document(policy(12)))
    over = happens(world)
    assert apply_saved(world, made).kind is kind
    assert world.ledger.all_under_way() == ()
    over()
    assert apply_saved(world, made).kind is OutcomeKind.APPLIED
    assert apply_saved(world, made).kind is OutcomeKind.STALE


def test_a_plan_that_was_stopped_before_anything_was_sent_can_be_tried_again(world: World) -> None:
    made = world.plan(document(policy(12)))
    moments = [1]

    def stop(_seconds: float) -> None:
        if not moments:
            raise Stopped
        moments.pop()

    (stopped,) = world.apply_all(made, saved=True, sleep=stop)
    assert stopped.kind is OutcomeKind.SKIPPED
    assert apply_saved(world, made).kind is OutcomeKind.APPLIED


def test_a_plan_that_can_not_be_given_back_stays_used(world: World) -> None:
    made = world.plan(document(policy(12)))
    ledger, writes = world.ledger, list[str]()

    def before(key: str) -> None:
        if key.startswith("plans/"):
            writes.append(key)
        if len(writes) == 2:
            raise LedgerProblem("the disk is full")

    world.services.books.ledger = replace(ledger, store=Watched(ledger.store, before))
    world.fault(f"throttle,{ON_UPDATE}")
    assert apply_saved(world, made).kind is OutcomeKind.FAILED
    world.services.books.ledger = ledger
    again = apply_saved(world, made)
    assert (again.kind, codes(again)) == (OutcomeKind.STALE, [])
    assert len(world.updates) == 1


# --- fresh --------------------------------------------------------------------------------------

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def made_at(created: str) -> Plan:
    return Plan((), created)


@pytest.mark.parametrize(
    "created", ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T12:00:00", "2026-01-02T00:10:00Z"]
)
def test_a_plan_within_its_age_passes(created: str) -> None:
    check_age(made_at(created), now=NOW, oldest=DAY)


@pytest.mark.parametrize(
    ("created", "spoken"),
    [("2025-12-31T23:59:59Z", "24h0m"), ("2025-12-01T00:00:00Z", "768h"), ("2025-12-31T18:30:00", "29h30m")],
)
def test_a_plan_beyond_its_age_is_refused_and_told_how_old_it_is(created: str, spoken: str) -> None:
    problem = refusal(lambda: check_age(made_at(created), now=NOW, oldest=DAY))
    assert problem.summary == "The plan is too old"
    assert f"made at {created}, {spoken} ago, and may be 24h old" in problem.detail
    assert "--max-plan-age" in problem.hint


def test_a_short_age_is_spoken_in_seconds() -> None:
    problem = refusal(
        lambda: check_age(made_at("2026-01-01T23:59:00Z"), now=NOW, oldest=timedelta(seconds=59)),
    )
    assert "60s ago, and may be 59s old" in problem.detail


def test_a_plan_from_the_future_is_refused_as_a_matter_of_clocks() -> None:
    problem = refusal(lambda: check_age(made_at("2026-01-02T00:10:01Z"), now=NOW, oldest=DAY))
    assert problem.summary == "The plan was made in the future"
    assert "here it is 2026-01-02T00:00:00Z" in problem.detail
    assert "clocks" in problem.hint


@pytest.mark.parametrize("created", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_a_plan_that_does_not_tell_when_it_was_made_is_refused(created: str) -> None:
    problem = refusal(lambda: check_age(made_at(created), now=NOW, oldest=DAY))
    assert problem.summary == "The plan does not tell when it was made"


# --- for what it was made -----------------------------------------------------------------------

SHARED, OWN = "s3://ledgers/shop", "/home/me/.reconciler/ledger"


def made_for(target: Target = TARGET, *, profile: str | None = None, ledger: str | None = None) -> Plan:
    desired = Desired("shop-prod", target, Access(profile), {}, ORIGIN)
    return Plan((TargetPlan(desired, "sha256:0", {}, {}),), "2026-01-01T00:00:00Z", ledger=ledger)


def here(
    *, ledger: str = OWN, endpoint: str | None = None, region: str | None = None, profile: str | None = None
) -> Reached:
    return Reached(embedded=False, ledger=ledger, endpoint=endpoint, region=region, profile=profile)


def account(number: str | None) -> Callable[[TargetPlan], str | None]:
    return lambda _: number


OURS = account(TARGET.account)


def test_a_plan_passes_where_everything_is_as_it_was_made_for() -> None:
    check_binding(made_for(), here(), OURS)
    check_binding(made_for(profile="ops"), here(region="us-east-1", profile="ops"), OURS)
    check_binding(made_for(ledger=SHARED), here(ledger=SHARED), OURS)


def test_a_plan_that_was_made_with_a_machines_own_ledger_may_be_applied_with_another() -> None:
    check_binding(made_for(), here(ledger=SHARED), OURS)


@pytest.mark.parametrize("other", [OWN, "s3://ledgers/other"])
def test_a_plan_that_was_made_with_a_shared_ledger_is_refused_with_another(other: str) -> None:
    problem = refusal(lambda: check_binding(made_for(ledger=SHARED), here(ledger=other), OURS))
    assert problem.summary == "The plan was made with another ledger"
    assert problem.detail == f"planned with {SHARED}, this run has {other}"
    assert problem.hint.startswith(f"give --ledger {SHARED}")


@pytest.mark.parametrize(
    ("plan", "reached", "what", "detail"),
    [
        (made_for(), here(region="eu-west-1"), "region", "planned for us-east-1, given eu-west-1"),
        (made_for(), here(profile="ops"), "profile", "planned for none, given ops"),
        (made_for(profile="dev"), here(profile="ops"), "profile", "planned for dev, given ops"),
        (
            made_for(),
            here(endpoint="http://127.0.0.1:1"),
            "endpoint",
            "planned for none, given http://127.0.0.1:1",
        ),
    ],
)
def test_a_plan_for_another_place_is_refused_by_name(plan: Plan, reached: Reached, what: str, detail: str) -> None:
    problem = refusal(lambda: check_binding(plan, reached, OURS))
    assert problem.summary == f"The plan of shop-prod was made for another {what}"
    assert problem.detail == detail


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        ("999999999999", "planned for 123456789012, this is 999999999999"),
        (None, "planned for 123456789012, this is an unknown one"),
    ],
)
def test_a_plan_for_another_account_is_refused(number: str | None, detail: str) -> None:
    problem = refusal(lambda: check_binding(made_for(), here(), account(number)))
    assert problem.summary == "The plan of shop-prod was made for another account"
    assert problem.detail == detail


def test_an_unknown_account_matches_only_an_unknown_one() -> None:
    unknown = made_for(replace(TARGET, account=None))
    check_binding(unknown, here(), account(None))
    problem = refusal(lambda: check_binding(unknown, here(), OURS))
    assert problem.detail == "planned for an unknown one, this is 123456789012"


def test_an_account_is_not_asked_for_where_an_endpoint_is_named() -> None:
    local = made_for(replace(TARGET, endpoint="http://127.0.0.1:1"))
    check_binding(local, here(endpoint="http://127.0.0.1:1"), account("999999999999"))


def test_the_embedded_backend_and_the_service_are_never_taken_for_one_another(world: World) -> None:
    embedded = world.plan(document(policy(12)))
    assert only(embedded).target.endpoint == EMBEDDED
    problem = refusal(lambda: check_binding(embedded, here(), OURS))
    assert problem.summary == "The plan of shop was made on the embedded backend"
    problem = refusal(lambda: check_binding(made_for(), replace(here(), embedded=True), OURS))
    assert problem.summary == "The plan of shop-prod was not made on the embedded backend"
    world.services.recorded.check_binding(embedded)
