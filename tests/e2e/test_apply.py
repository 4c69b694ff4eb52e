"""What apply does with a service that behaves well, badly, or not at all, on a clock that only it moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import Access, FailureKind, Outcome, OutcomeKind, Plan, Target, TargetPlan
from reconciler.emulator import MASKS, PLANTED_JOB_SECRET, Switches
from reconciler.operations.jobs import Stopped, Waiting
from reconciler.operations.live import explain_absence
from tests.e2e.conftest import PROVIDERS, SECRETS, World, configuration, document, nested, policy

LENGTH = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
ON_UPDATE = "operation=UpdateBackendAuth"
GUESTS = ("IdentityPoolConfigs", "UnauthenticatedLogin")
SPOILT = ("truncated", "empty", "html", "null", "array", "wrong_types", "error200")
HIDDEN = ["absent", *MASKS]


def length_of(world: World, environment: str = "prod") -> Any:
    return world.live(environment)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"]


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


def only(made: Plan) -> TargetPlan:
    (target,) = made.planned
    return target


def hide_secrets(world: World, how: str) -> None:
    """Let the service withhold every secret, or show this mask in its place."""
    if how == "absent":
        world.switch("secrets=absent", "apple_key=absent")
    else:
        world.switch("secrets=masked", "apple_key=masked", f"mask={how}")


# --- what is sent, and when ---------------------------------------------------------------------


def test_an_update_is_sent_once_and_lands(world: World) -> None:
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.APPLIED
    assert [change.path for change in outcome.changes] == [LENGTH]
    assert len(world.updates) == 1
    assert length_of(world) == 12


def test_a_second_apply_sends_nothing(world: World) -> None:
    world.apply(policy(12))
    assert world.apply(policy(12)).kind is OutcomeKind.UNCHANGED
    assert len(world.updates) == 1


def test_nothing_is_sent_where_nothing_differs(world: World) -> None:
    assert world.apply(policy(8)).kind is OutcomeKind.UNCHANGED
    assert world.updates == ()


def test_a_plan_never_sends_an_update(world: World) -> None:
    made = world.plan(document(policy(12)))
    assert only(made).applyable
    assert world.updates == ()


def test_every_other_block_of_an_update_is_as_live(world: World) -> None:
    world.apply(policy(12))
    (sent,) = world.updates
    before = configuration()
    config = sent.body["ResourceConfig"]
    assert config["UserPoolConfigs"]["OAuth"] == before["UserPoolConfigs"]["OAuth"]
    assert config["UserPoolConfigs"]["Mfa"] == before["UserPoolConfigs"]["Mfa"]
    assert config["IdentityPoolConfigs"] == {"UnauthenticatedLogin": True}
    assert "ForgotPassword" not in config["UserPoolConfigs"]


def test_the_written_order_of_redirects_is_what_is_sent(world: World) -> None:
    uris = ["https://z.example.com/", "https://a.example.com/", "myapp://m/"]
    assert world.apply(nested(("UserPoolConfigs", "OAuth", "RedirectSignInURIs"), uris)).kind is OutcomeKind.APPLIED
    (sent,) = world.updates
    assert sent.body["ResourceConfig"]["UserPoolConfigs"]["OAuth"]["RedirectSignInURIs"] == uris


def test_with_mfa_off_no_settings_are_sent(world: World) -> None:
    assert world.apply(nested(("UserPoolConfigs", "Mfa", "MFAMode"), "OFF")).kind is OutcomeKind.APPLIED
    (sent,) = world.updates
    assert sent.body["ResourceConfig"]["UserPoolConfigs"]["Mfa"] == {"MFAMode": "OFF"}


# --- the world moves between plan and apply -----------------------------------------------------


def test_a_plan_made_before_the_change_is_refused(world: World) -> None:
    made = world.plan(document(policy(12)))
    moved = configuration()
    moved["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
    world.seed(moved)
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.STALE
    assert [finding.summary for finding in outcome.findings] == [
        "IdentityPoolConfigs.UnauthenticatedLogin moved since the plan was made"
    ]
    assert world.updates == ()


def test_a_move_right_before_the_update_is_seen_too(world: World) -> None:
    def somebody_else(seconds: float) -> None:
        moved = configuration()
        moved["UserPoolConfigs"]["Mfa"] = {"MFAMode": "OFF"}
        world.seed(moved)
        world.time.sleep(seconds)

    assert world.apply(policy(12), sleep=somebody_else).kind is OutcomeKind.STALE
    assert world.updates == ()


def test_one_stale_target_means_that_nothing_is_sent_to_any(world: World) -> None:
    for environment in ("dev", "test"):
        world.seed(environment=environment)
    environments = ("dev", "test", "prod")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in environments))
    moved = configuration()
    moved["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
    world.seed(moved, environment="test")
    outcomes = world.apply_all(made)
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SKIPPED, OutcomeKind.STALE, OutcomeKind.SKIPPED]
    assert world.updates == ()


def test_each_target_gets_one_update_of_its_own(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    assert [outcome.kind for outcome in world.apply_all(made)] == [OutcomeKind.APPLIED] * 2
    assert [sent.body["BackendEnvironmentName"] for sent in world.updates] == ["dev", "prod"]
    assert (length_of(world, "dev"), length_of(world)) == (12, 12)


def test_one_failed_job_does_not_hide_the_others(world: World) -> None:
    world.seed(environment="dev")
    world.fault(f"job_failed,{ON_UPDATE},environment=dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    assert [outcome.kind for outcome in world.apply_all(made)] == [OutcomeKind.FAILED, OutcomeKind.APPLIED]


def test_a_reference_that_lost_its_value_stops_before_anything_is_sent(world: World) -> None:
    secret = nested(
        ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google"),
        {"ClientId": "google-1", "ClientSecret": "${env:GOOGLE_SECRET}"},
    )
    world.environ["GOOGLE_SECRET"] = SECRETS["Google"]
    made = world.plan(document(secret))
    del world.environ["GOOGLE_SECRET"]
    (outcome,) = world.apply_all(made)
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.FAILED, ["unset-reference"])
    assert world.updates == ()


# --- jobs ---------------------------------------------------------------------------------------


def test_a_failed_job_gives_its_reason_without_noise_or_secrets(world: World) -> None:
    world.fault(f"job_failed,{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.FAILED
    assert "Reason: Resource handler returned message: Invalid request provided" in outcome.detail
    assert PLANTED_JOB_SECRET not in repr(outcome)
    assert "\x1b" not in outcome.detail
    assert not any(drawn in outcome.detail for drawn in "⠋─│┌")
    assert len(outcome.detail) < 2_000
    assert outcome.hint == "live is as it was before"
    assert outcome.job is not None


def test_a_secret_that_the_job_prints_is_masked_whatever_surrounds_it(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear")
    world.fault(f"job_failed,{ON_UPDATE},text=Error: the provider said {SECRETS['Facebook']} is no good")
    outcome = world.apply(policy(12))
    assert outcome.detail == "Error: the provider said **** is no good"


def test_a_value_that_cognito_refuses_fails_the_job_and_says_so(world: World) -> None:
    broken = configuration()
    broken["UserPoolConfigs"]["OAuth"]["RedirectSignInURIs"] = ["http://shop.example.com/"]
    world.seed(broken)
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.FAILED
    assert "http://shop.example.com/ is not a valid redirect URI" in outcome.detail


def test_a_job_that_never_ends_is_left_at_the_deadline(world: World) -> None:
    world.fault(f"job_stuck,{ON_UPDATE}")
    begun = world.time.now
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert "its status is RUNNING" in outcome.summary
    assert world.time.now - begun == pytest.approx(1800)
    assert str(outcome.job) in outcome.hint
    assert len(world.updates) == 1


def test_the_deadline_is_kept_to_the_second(world: World) -> None:
    world.fault(f"job_stuck,{ON_UPDATE}")
    begun = world.time.now
    (outcome,) = world.apply_all(world.plan(document(policy(12))), Waiting(poll_interval=40, job_timeout=100))
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert world.time.now - begun == pytest.approx(100)


def test_a_status_that_nobody_knows_counts_as_running(world: World) -> None:
    world.fault(f"job_unknown_status,{ON_UPDATE},text=SYNTHESIZING")
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    assert sum(world.time.slept) >= 120


def test_an_unknown_status_at_the_deadline_is_named(world: World) -> None:
    world.fault(f"job_unknown_status,{ON_UPDATE},text=SYNTHESIZING,seconds=9999")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert "SYNTHESIZING" in outcome.summary


@pytest.mark.parametrize("fault", SPOILT[:-1])
def test_a_poll_without_an_answer_is_tried_again(world: World, fault: str) -> None:
    world.fault(f"{fault},operation=GetBackendJob,times=3")
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    assert len(world.updates) == 1


def test_a_job_without_an_id_is_found_through_the_list(world: World) -> None:
    world.switch("job_id=absent")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.job is not None
    assert len(world.updates) == 1


def test_a_job_without_an_id_that_failed_is_a_failed_job(world: World) -> None:
    world.switch("job_id=absent")
    world.fault(f"job_failed,{ON_UPDATE}")
    assert world.apply(policy(12)).kind is OutcomeKind.FAILED


def somebody_elses_update(world: World, target: TargetPlan) -> None:
    writer = world.services.writer_of(target.desired)
    writer.update_auth(target.target, {"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": {}})


def test_somebody_elses_job_means_locked(world: World) -> None:
    made = world.plan(document(policy(12)))
    somebody_elses_update(world, only(made))
    world.time.now += 45
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.LOCKED
    (job,) = world.services.reader_of(only(made).desired).list_jobs(only(made).target)
    assert outcome.detail == f"job {job.id}, UpdateBackendAuth, RUNNING, started 45s ago"
    assert len(world.updates) == 1, "ours is not sent"
    assert length_of(world) == 8


def test_a_job_that_starts_at_the_last_moment_is_the_services_to_refuse(world: World) -> None:
    made = world.plan(document(policy(12)))
    moments = iter([False, True])

    def meanwhile(seconds: float) -> None:
        if next(moments, False):
            somebody_elses_update(world, only(made))
        world.time.sleep(seconds)

    (outcome,) = world.apply_all(made, sleep=meanwhile)
    assert outcome.kind is OutcomeKind.LOCKED
    assert "already a pending job" in outcome.detail
    assert len(world.updates) == 2, "the service refused ours, and it is not sent again"


# --- verification -------------------------------------------------------------------------------


def test_a_job_without_effect_is_not_believed(world: World) -> None:
    world.fault(f"no_effect,{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["not-arrived"])
    assert "PasswordPolicy.MinimumLength" in outcome.findings[0].summary


def test_what_moved_without_being_planned_is_seen(world: World) -> None:
    world.fault(f"collateral,{ON_UPDATE}")
    outcome = world.apply(nested(GUESTS, value=False))
    assert outcome.kind is OutcomeKind.UNVERIFIED
    # The second says it of the mirror in AmplifyMetaConfig.
    assert codes(outcome) == ["moved", "moved-in-meta"]
    assert (
        outcome.findings[0].summary == "UserPoolConfigs.PasswordPolicy.MinimumLength moved and was not planned: 8 -> 20"
    )


def test_a_block_that_vanished_is_seen(world: World) -> None:
    world.fault(f"collateral,{ON_UPDATE},field=UserPoolConfigs.VerificationMessage")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert codes(outcome).count("moved") == 3


def test_what_moved_in_the_meta_is_seen(world: World) -> None:
    world.fault(f"meta_collateral,{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["moved-in-meta"])
    assert "UserPoolId" in outcome.findings[0].summary


def test_a_secret_that_changed_by_itself_is_seen_and_not_shown(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear")
    where = "UserPoolConfigs.OAuth.SocialProviderSettings.Google.ClientSecret"
    world.fault(f"collateral,{ON_UPDATE},field={where},value=another-canary-1c9")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["moved"])
    assert "canary" not in repr(outcome)


@pytest.mark.parametrize("reads", range(5))
def test_up_to_four_stale_reads_are_waited_out(world: World, reads: int) -> None:
    world.switch(f"stale_reads={reads}")
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED


def test_one_good_read_at_the_end_is_not_enough(world: World) -> None:
    world.switch("stale_reads=5")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["unsettled"])


def test_a_change_that_goes_back_is_not_believed(world: World) -> None:
    world.fault(f"revert,{ON_UPDATE},reads=1")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["not-arrived"])


def test_a_result_that_cannot_be_read_is_not_believed(world: World) -> None:
    world.fault("empty,operation=GetBackendAuth,times=0,skip=3")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["unread"])


def test_a_value_that_is_stored_in_another_form_is_told_with_the_form(world: World) -> None:
    world.switch("canonical=slash")
    uris = ["https://shop.example.com/callback/", "https://other.example.com/x"]
    outcome = world.apply(nested(("UserPoolConfigs", "OAuth", "RedirectSignInURIs"), uris))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["rewritten"])
    assert "write https://other.example.com/x/" in outcome.findings[0].hint


# --- lost answers: nothing is sent twice --------------------------------------------------------

LANDED = ("timeout_after", "timeout_late_job", "drop_after", "truncated", "empty", "html", "null", "wrong_types")


@pytest.mark.parametrize("fault", LANDED)
@pytest.mark.parametrize("job_id", ["present", "absent"])
def test_an_update_whose_answer_was_lost_is_found_again(world: World, fault: str, job_id: str) -> None:
    world.switch(f"job_id={job_id}")
    late = ",seconds=25" if fault == "timeout_late_job" else ""
    world.fault(f"{fault},{ON_UPDATE}{late}")
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    assert len(world.updates) == 1
    assert length_of(world) == 12


@pytest.mark.parametrize("fault", ["timeout_before", "drop_before", "error,status=500", "error,status=503,code=-"])
def test_an_update_that_did_not_land_is_a_failure_that_says_so(world: World, fault: str) -> None:
    world.fault(f"{fault},{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.summary.startswith("the update did not land")
    assert len(world.updates) == 1
    assert length_of(world) == 8


@pytest.mark.parametrize("fault", ["throttle", "error"])
def test_an_update_that_was_refused_is_not_sent_again(world: World, fault: str) -> None:
    world.fault(f"{fault},{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.summary.startswith("UpdateBackendAuth was refused")
    assert len(world.updates) == 1
    assert length_of(world) == 8


def test_a_lost_answer_and_a_live_that_nobody_planned_is_unknown(world: World) -> None:
    world.fault(f"timeout_before,{ON_UPDATE}")

    def somebody_else(seconds: float) -> None:
        if world.updates:
            moved = configuration()
            moved["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 33
            world.seed(moved)
        world.time.sleep(seconds)

    outcome = world.apply(policy(12), sleep=somebody_else)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert "list-backend-jobs" in outcome.hint
    assert len(world.updates) == 1


def test_a_lost_answer_and_a_job_that_failed_have_moved_nothing(world: World) -> None:
    world.fault(f"drop_after,{ON_UPDATE}")
    world.fault(f"job_failed,{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.FAILED
    assert "which may be another's, and no other appeared, and live is unchanged" in outcome.summary
    assert outcome.job


# --- stopping -----------------------------------------------------------------------------------


def test_stopping_before_the_update_sends_nothing(world: World) -> None:
    def stop(_seconds: float) -> None:
        raise Stopped

    assert world.apply(policy(12), sleep=stop).kind is OutcomeKind.SKIPPED
    assert world.updates == ()


def test_stopping_while_the_job_runs_says_how_to_look_at_it(world: World) -> None:
    def stop(seconds: float) -> None:
        if seconds:
            raise Stopped

    outcome = world.apply(policy(12), sleep=stop)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert f"--job-id {outcome.job}" in outcome.hint
    assert len(world.updates) == 1


# --- what stands in the way ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["access_denied", "expired"])
def test_an_update_without_permission_is_denied(world: World, fault: str) -> None:
    world.fault(f"{fault},{ON_UPDATE}")
    outcome = world.apply(policy(12))
    assert outcome.kind is OutcomeKind.DENIED
    assert length_of(world) == 8
    assert len(world.updates) == 1


@pytest.mark.parametrize("operation", ["GetBackendAuth", "GetBackend"])
def test_a_read_without_permission_is_an_access_failure(world: World, operation: str) -> None:
    world.fault(f"access_denied,operation={operation}")
    (failure,) = world.plan(document(policy(12))).failures
    assert failure.kind is FailureKind.ACCESS
    assert f"amplifybackend:{operation}" in failure.hint


def test_jobs_that_cannot_be_listed_are_denied_before_anything_is_sent(world: World) -> None:
    world.fault("access_denied,operation=ListBackendJobs")
    assert world.apply(policy(12)).kind is OutcomeKind.DENIED
    assert world.updates == ()


def test_imported_auth_is_blocked(world: World) -> None:
    world.seed(imported=True)
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.BLOCKED, ["imported-auth"])
    assert world.updates == ()


@pytest.mark.parametrize(
    ("switch", "named"),
    [
        ("user_groups", "user groups"),
        ("admin_queries", "admin queries"),
        ("identity_federation", "identity pool federation"),
    ],
)
def test_settings_that_an_update_would_clear_are_guarded(world: World, switch: str, named: str) -> None:
    world.switch(f"{switch}=on")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.GUARDED, ["unseen-settings"])
    assert named in outcome.findings[0].detail
    assert world.updates == ()


@pytest.mark.parametrize("switch", ["user_groups", "admin_queries", "identity_federation"])
def test_a_guard_that_is_allowed_lets_the_update_pass(world: World, switch: str) -> None:
    world.switch(f"{switch}=on")
    assert world.apply(policy(12), allow=("unseen-settings",)).kind is OutcomeKind.APPLIED
    assert length_of(world) == 12


def test_allowing_what_is_cleared_does_not_allow_what_else_moves(world: World) -> None:
    world.switch("user_groups=on")
    world.fault(f"meta_collateral,{ON_UPDATE}")
    outcome = world.apply(policy(12), allow=("unseen-settings",))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.UNVERIFIED, ["moved-in-meta"])


@pytest.mark.parametrize(
    ("code", "path", "value"),
    [
        ("identity-pool-deletion", ("AuthResources",), "USER_POOL_ONLY"),
        ("mfa-on", ("UserPoolConfigs", "Mfa", "MFAMode"), "ON"),
    ],
)
def test_a_dangerous_change_is_guarded_until_it_is_allowed(
    world: World, code: str, path: tuple[str, ...], value: str
) -> None:
    refused = world.apply(nested(path, value))
    assert (refused.kind, codes(refused)) == (OutcomeKind.GUARDED, [code])
    assert world.updates == ()
    assert world.apply(nested(path, value), allow=(code,)).kind is OutcomeKind.APPLIED


def test_mfa_that_can_not_be_turned_on_fails_with_the_services_reason(world: World) -> None:
    world.switch("mfa_on_after_creation=refused")
    outcome = world.apply(nested(("UserPoolConfigs", "Mfa", "MFAMode"), "ON"), allow=("mfa-on",))
    assert outcome.kind is OutcomeKind.FAILED
    assert "Cannot turn MFA functionality ON" in outcome.detail


def test_an_unread_mfa_is_guarded_since_an_update_would_switch_it_off(world: World) -> None:
    world.switch("missing=Mfa")
    outcome = world.apply(policy(12))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.GUARDED, ["unread-mfa"])
    assert world.updates == ()


# --- reads that go wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("fault", SPOILT)
@pytest.mark.parametrize("operation", ["GetBackendAuth", "GetBackend"])
def test_a_spoilt_answer_is_a_failed_read_and_neither_drift_nor_absence(
    world: World, fault: str, operation: str
) -> None:
    world.fault(f"{fault},operation={operation},times=0")
    made = world.plan(document(policy(12)))
    assert made.planned == ()
    (failure,) = made.failures
    assert failure.kind is FailureKind.READ
    assert operation in failure.summary
    assert world.updates == ()


@pytest.mark.parametrize("fault", SPOILT)
@pytest.mark.parametrize("operation", ["GetBackendAuth", "GetBackend", "ListBackendJobs"])
def test_an_answer_that_is_spoilt_before_the_update_means_that_nothing_is_sent(
    world: World, fault: str, operation: str
) -> None:
    made = world.plan(document(policy(12)))
    world.fault(f"{fault},operation={operation},times=0")
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.FAILED
    assert world.updates == ()


SEED = "put it in with: reconciler emulator seed PATH"


def at_aws(world: World, app: str, environment: str) -> str:
    """What to do about the same absence where the target is not the embedded backend's."""
    target = Target(app, environment, "shopauth", "us-east-1")
    return explain_absence(world.services.sessions.reader(Access(), target.region, None), target).hint


@pytest.mark.parametrize("absent", ["notfound", "error200", "badrequest"])
def test_an_environment_without_auth_says_how_to_create_it(world: World, absent: str) -> None:
    world.switch(f"absent_auth={absent}")
    world.emulator.put_environment("000000000000", "us-east-1", "d1example", "empty")
    (failure,) = world.plan(document(policy(12), environment="empty")).failures
    assert failure.kind is FailureKind.NOT_FOUND
    assert "empty, prod" in failure.detail
    assert failure.hint == SEED
    assert "aws amplifybackend create-backend-auth --app-id d1example" in at_aws(world, "d1example", "empty")


def test_another_resource_name_is_answered_with_the_one_that_exists(world: World) -> None:
    (failure,) = world.plan({**document(policy(12)), "ResourceName": "other"}).failures
    assert failure.kind is FailureKind.NOT_FOUND
    assert "the auth there is named shopauth" in failure.detail


def test_another_environment_is_answered_with_those_that_exist(world: World) -> None:
    (failure,) = world.plan(document(policy(12), environment="staging")).failures
    assert failure.kind is FailureKind.NOT_FOUND
    assert "prod" in failure.detail
    assert failure.hint == SEED
    assert "clone-backend" in at_aws(world, "d1example", "staging")


def test_another_app_is_not_found_with_the_command_that_creates_it(world: World) -> None:
    (failure,) = world.plan({**document(policy(12)), "AppId": "other"}).failures
    assert failure.kind is FailureKind.NOT_FOUND
    assert failure.hint == SEED
    assert "create-backend " in at_aws(world, "other", "prod")


# --- secrets that can't be read -----------------------------------------------------------------


@pytest.mark.parametrize("hidden", HIDDEN)
def test_an_unrelated_change_never_touches_a_secret_that_can_not_be_read(world: World, hidden: str) -> None:
    world.seed(configuration(providers=True))
    hide_secrets(world, hidden)
    before = world.live()
    outcome = world.apply(policy(12))
    before["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 12
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.live() == before
    assert "OAuth" not in world.updates[0].body["ResourceConfig"]["UserPoolConfigs"]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_apples_key_alone_being_hidden_keeps_all_of_them(world: World, hidden: str) -> None:
    world.seed(configuration(providers=True))
    hide_secrets(world, hidden)
    world.switch("secrets=clear")
    before = world.live()["UserPoolConfigs"]["OAuth"]
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    assert world.live()["UserPoolConfigs"]["OAuth"] == before


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_change_inside_oauth_without_its_secrets_is_blocked(world: World, hidden: str) -> None:
    world.seed(configuration(providers=True))
    hide_secrets(world, hidden)
    before = world.live()
    outcome = world.apply(nested(("UserPoolConfigs", "OAuth", "OAuthGrantType"), "IMPLICIT"))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.BLOCKED, ["oauth-not-whole"])
    assert world.live() == before
    assert world.updates == ()


@pytest.mark.parametrize("hidden", HIDDEN)
def test_with_every_secret_written_a_change_inside_oauth_lands(world: World, hidden: str) -> None:
    world.seed(configuration(providers=True))
    hide_secrets(world, hidden)
    written = {}
    for provider, members in PROVIDERS.items():
        secret = "PrivateKey" if provider == "SignInWithApple" else "ClientSecret"
        world.environ[f"SECRET_{provider}"] = SECRETS[provider]
        written[provider] = {**members, secret: f"${{env:SECRET_{provider}}}"}
    before = world.live()
    made = world.plan(
        document({"UserPoolConfigs": {"OAuth": {"OAuthGrantType": "IMPLICIT", "SocialProviderSettings": written}}})
    )
    assert sum(change.unproven for change in only(made).changes) == 4
    (outcome,) = world.apply_all(made)
    before["UserPoolConfigs"]["OAuth"]["OAuthGrantType"] = "IMPLICIT"
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.live() == before
    assert not any(secret in repr((made, outcome)) for secret in SECRETS.values())


def test_a_written_secret_is_no_drift_where_live_can_not_be_read(world: World) -> None:
    world.seed(configuration(providers=True))
    world.environ["GOOGLE_SECRET"] = "GOCSPX-quite-another"
    path = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google", "ClientSecret")
    assert only(world.plan(document(nested(path, "${env:GOOGLE_SECRET}")))).changes == ()


def test_a_secret_that_moves_after_a_plan_without_changes_is_not_sent(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear")
    world.environ["GOOGLE_SECRET"] = SECRETS["Google"]
    path = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google", "ClientSecret")
    made = world.plan(document(nested(path, "${env:GOOGLE_SECRET}")))
    world.environ["GOOGLE_SECRET"] = "GOCSPX-quite-another"
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.UNCHANGED
    assert world.updates == ()


def test_a_provider_that_is_removed_takes_nothing_else_along(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear")
    before = world.live()
    outcome = world.apply(nested(("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google"), None))
    del before["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.live() == before


def test_the_domain_is_never_sent_with_the_environment_behind_it(world: World) -> None:
    world.switch("domain=suffix")
    before = world.live()
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED
    before["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 12
    assert world.live() == before
    (sent,) = world.updates
    assert sent.body["ResourceConfig"]["UserPoolConfigs"]["OAuth"]["DomainPrefix"] == "shop-signin"


@pytest.mark.parametrize("omitted", ["reset", "keep"])
@pytest.mark.parametrize("hidden", ["DomainPrefix", "SocialProviderSettings", "Google", "ClientId", "OAuthScopes"])
def test_an_oauth_block_of_which_a_part_is_not_returned_is_left_as_it_is(
    world: World, hidden: str, omitted: str
) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear", f"missing={hidden}", f"omitted={omitted}")
    before = world.live()
    outcome = world.apply(policy(12))
    before["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 12
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.live() == before
    assert "OAuth" not in world.updates[0].body["ResourceConfig"]["UserPoolConfigs"]


@pytest.mark.parametrize("hidden", ["DomainPrefix", "SocialProviderSettings", "Google"])
def test_a_change_inside_an_oauth_block_of_which_a_part_is_not_returned_is_blocked(world: World, hidden: str) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear", f"missing={hidden}")
    outcome = world.apply(nested(("UserPoolConfigs", "OAuth", "OAuthGrantType"), "IMPLICIT"))
    assert (outcome.kind, codes(outcome)) == (OutcomeKind.BLOCKED, ["oauth-not-whole"])
    assert f"{hidden} is" in outcome.findings[0].detail or "Google is not returned" in outcome.findings[0].detail
    assert world.updates == ()


def test_attributes_that_read_back_differently_each_time_make_no_plan_stale(world: World) -> None:
    several = configuration()
    several["UserPoolConfigs"]["RequiredSignUpAttributes"] = ["EMAIL", "NAME", "ADDRESS"]
    world.seed(several)
    world.switch("sign_up=shortened", "list_order=shuffled")
    assert world.apply(policy(12)).kind is OutcomeKind.APPLIED


def test_attributes_that_read_back_differently_are_no_move_of_a_failed_job(world: World) -> None:
    several = configuration()
    several["UserPoolConfigs"]["RequiredSignUpAttributes"] = ["EMAIL", "NAME", "ADDRESS"]
    world.seed(several)
    world.switch("sign_up=shortened", "list_order=shuffled")
    world.fault(f"job_failed,{ON_UPDATE}")
    assert world.apply(policy(12)).kind is OutcomeKind.FAILED


def test_a_service_that_keeps_what_is_left_out_keeps_a_provider_and_it_is_told(world: World) -> None:
    world.seed(configuration(providers=True))
    world.switch("secrets=clear", "apple_key=clear", "omitted=keep")
    outcome = world.apply(nested(("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google"), None))
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert set(codes(outcome)) == {"not-arrived"}


def test_switches_here_begin_as_the_emulators_own(world: World) -> None:
    assert world.emulator.switches == replace(Switches(), job_seconds=120.0)
