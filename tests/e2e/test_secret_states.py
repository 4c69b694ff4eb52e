"""The four states of a secret: readable, in sync, rotated, unproven; and that an unrelated change never touches one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.fields import SECRETS as PLACES
from reconciler.core.model import Action, OutcomeKind, Plan, TargetPlan
from reconciler.core.planfile import from_json
from reconciler.core.secret import Doubt, Proof
from reconciler.emulator.switches import MASKS
from reconciler.operations.plan import plan
from reconciler.render.json import plan_json
from reconciler.wiring import Connection, Follow, Selection, Services
from tests.e2e.conftest import (
    APP,
    ENVIRONMENT,
    MOMENTS,
    RESOURCE,
    SECRETS,
    World,
    configuration,
    document,
    nested,
    only,
    policy,
)

GOOGLE = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google")
SECRET = (*GOOGLE, "ClientSecret")
KEY = "0123456789abcdef0123456789abcdef"
FIRST, SECOND = "GOCSPX-first-secret", "GOCSPX-second-secret"
HIDDEN = (("secrets=absent", "apple_key=absent"), ("secrets=masked", "apple_key=masked"))
READ_MODES = (
    ("secrets=clear", "apple_key=clear"),
    ("secrets=clear", "apple_key=absent"),
    ("secrets=absent", "apple_key=absent"),
    *(("secrets=masked", "apple_key=masked", f"mask={mask}") for mask in MASKS),
)
WRITTEN = nested(SECRET, "${env:GOOGLE_SECRET}")
ALL_FOUR = {path[-2]: {path[-1]: f"${{env:SECRET_{path[-2]}}}"} for path in PLACES if path[-2] != "Google"} | {
    "Google": {"ClientSecret": "${env:GOOGLE_SECRET}"}
}


def again(world: World, *, key: str | None = KEY, **environ: str) -> World:
    """The next command: nothing of the one before is left but the service, the ledger and the environment."""
    world.environ.pop("RECONCILER_LEDGER_KEY", None)
    world.environ.update(environ, **({"RECONCILER_LEDGER_KEY": key} if key else {}))
    connection = Connection(emulator=True, state_dir=str(world.folder / "state"))
    services = Services(connection, first_path=str(world.folder), environ=world.environ)
    services.emulator = world.emulator
    return replace(world, services=services)


def planned(world: World, config: Mapping[str, Any] = WRITTEN, *, send: bool = False) -> Plan:
    """Plan, as `plan` with or without `--send-secrets` does."""
    path = world.folder / "auth.yaml"
    path.write_text(json.dumps(document(config)), encoding="utf-8")
    return of_file(world, send=send)


def of_file(world: World, *, send: bool = False, secrets: bool = True) -> Plan:
    loaded = world.services.load([str(world.folder / "auth.yaml")], Selection(), stdin=bytes, network=True)
    located = world.services.locate(loaded, Follow.ALL if secrets else Follow.NO_SECRETS).desired
    wanted = tuple(replace(one, sends=frozenset(PLACES) if send else frozenset()) for one in located)
    remembered = world.services.books.remembered(wanted)
    return plan(wanted, world.services.reader_of, now="2026-01-01T00:00:00Z", remembered=remembered)


def state(made: Plan) -> tuple[Proof, Doubt | None]:
    (standing,) = only(made).secrets
    return standing.proof, standing.doubt


def changes(target: TargetPlan) -> list[tuple[str, bool]]:
    return [(change.path[-1], change.unproven) for change in target.changes]


def applied(world: World, made: Plan) -> None:
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.APPLIED, outcome


pytestmark = pytest.mark.broad
EITHER_WAY = pytest.mark.parametrize("hidden", HIDDEN, ids=" ".join, indirect=True)


@pytest.fixture
def hidden(world: World, request: pytest.FixtureRequest) -> World:
    """A service that links Google and returns no secret, or a mask for it, and a first command with a key."""
    config = configuration(providers=True)
    config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] = {
        "Google": {"ClientId": "google-1", "ClientSecret": FIRST}
    }
    world.seed(config)
    world.switch(*getattr(request, "param", HIDDEN[0]))
    return again(world, GOOGLE_SECRET=FIRST)


def proven(world: World) -> World:
    """The next command after one that has proven the first secret."""
    applied(world, planned(world, send=True))
    return again(world)


# --- unproven, and how it is proven --------------------------------------------------------------


@EITHER_WAY
def test_a_secret_that_no_apply_has_proven_is_a_note_and_no_change(hidden: World) -> None:
    made = planned(hidden)
    assert state(made) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)
    assert only(made).changes == ()
    assert codes_of_notes(made) == ["secret-unproven"]


@EITHER_WAY
def test_send_secrets_plans_an_unproven_one_and_its_update_proves_it(hidden: World) -> None:
    made = planned(hidden, send=True)
    assert changes(only(made)) == [("ClientSecret", True)]
    applied(hidden, made)
    after = planned(again(hidden), send=True)
    assert state(after) == (Proof.IN_SYNC, None)
    assert only(after).changes == ()
    assert codes_of_notes(after) == []


@EITHER_WAY
def test_any_update_that_carries_an_unproven_secret_shows_it_and_proves_it(hidden: World) -> None:
    made = planned(hidden, {**WRITTEN, **policy(12, OAuth=WRITTEN["UserPoolConfigs"]["OAuth"])})
    assert changes(only(made)) == [("MinimumLength", False), ("ClientSecret", True)]
    applied(hidden, made)
    assert state(planned(again(hidden))) == (Proof.IN_SYNC, None)


def test_an_environment_that_was_rotated_before_the_first_run_is_never_in_sync(hidden: World) -> None:
    config = hidden.live()
    config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Facebook"] = {
        "ClientId": "fb-1",
        "ClientSecret": SECRETS["Facebook"],
    }
    hidden.seed(config)  # its secret is not written, so the OAuth block is in no update
    rotated = again(hidden, GOOGLE_SECRET=SECOND)
    made = planned(rotated, policy(12, **WRITTEN["UserPoolConfigs"]))
    assert changes(only(made)) == [("MinimumLength", False)]
    applied(rotated, made)
    assert state(planned(again(rotated))) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)
    assert hidden.live()["UserPoolConfigs"]["OAuth"] == config["UserPoolConfigs"]["OAuth"]


def test_without_a_key_nothing_is_proven(hidden: World) -> None:
    applied(keyless := again(hidden, key=None), planned(keyless, send=True))
    assert state(planned(again(hidden))) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)


def test_a_secret_that_is_to_be_sent_with_a_new_provider_is_one_line(hidden: World) -> None:
    made = planned(
        hidden,
        nested((*GOOGLE[:-1], "Facebook"), {"ClientId": "fb", "ClientSecret": "${env:GOOGLE_SECRET}"}),
        send=True,
    )
    facebook = [change for change in only(made).changes if change.path[-2:] == ("Facebook", "ClientSecret")]
    assert [(change.action, change.unproven) for change in facebook] == [(Action.ADD, False)]


# --- in sync, and rotated ------------------------------------------------------------------------


@EITHER_WAY
def test_a_rotated_secret_is_exactly_one_change_until_its_update_has_landed(hidden: World) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    made = planned(rotated)
    assert state(made) == (Proof.ROTATED, None)
    assert changes(only(made)) == [("ClientSecret", False)]
    applied(rotated, made)
    assert hidden.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientSecret"] == SECOND
    after = planned(again(rotated))
    assert (state(after), only(after).changes) == ((Proof.IN_SYNC, None), ())


@EITHER_WAY
def test_a_secret_that_is_in_sync_travels_with_its_block_without_a_line(hidden: World) -> None:
    world = proven(hidden)
    made = planned(world, policy(12, **WRITTEN["UserPoolConfigs"]))
    assert changes(only(made)) == [("MinimumLength", False)]
    assert "UserPoolConfigs.OAuth" in only(made).sent
    applied(world, made)
    assert state(planned(again(world))) == (Proof.IN_SYNC, None)


@pytest.mark.parametrize(
    ("key", "doubt", "code"),
    [(None, Doubt.NO_KEY, "ledger-key-missing"), ("another-key" * 4, Doubt.OTHER_KEY, "ledger-key-differs")],
)
def test_a_fingerprint_without_its_key_is_unproven_and_a_warning(
    hidden: World, key: str | None, doubt: Doubt, code: str
) -> None:
    made = planned(again(proven(hidden), key=key, GOOGLE_SECRET=SECOND))
    assert state(made) == (Proof.UNPROVEN, doubt)
    assert only(made).changes == ()
    assert code in [warning.code for warning in only(made).warnings]


def test_the_same_value_in_another_environment_has_another_fingerprint(hidden: World) -> None:
    hidden.seed(hidden.live(), environment="staging")
    applied(hidden, planned(hidden, send=True))
    (hidden.folder / "auth.yaml").write_text(json.dumps(document(WRITTEN, environment="staging")), encoding="utf-8")
    assert state(of_file(again(hidden))) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)


# --- what an update that does not end well leaves ------------------------------------------------


def test_a_rotation_whose_job_fails_is_still_to_be_made_and_taken_back_it_is_unproven(hidden: World) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    made = planned(rotated)
    rotated.fault("job_failed,operation=UpdateBackendAuth,text=Error: no")
    (outcome,) = rotated.apply_all(made)
    assert outcome.kind is OutcomeKind.FAILED
    assert state(planned(again(rotated))) == (Proof.ROTATED, None)
    back = again(rotated, GOOGLE_SECRET=FIRST)
    assert state(planned(back)) == (Proof.UNPROVEN, Doubt.UNCERTAIN)
    applied(back, planned(back, send=True))
    assert state(planned(again(back))) == (Proof.IN_SYNC, None)


def test_an_update_that_is_refused_leaves_what_was_proven(hidden: World) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    made = planned(rotated)
    rotated.fault("error,operation=UpdateBackendAuth,status=400,code=BadRequestException,text=no")
    (outcome,) = rotated.apply_all(made)
    assert outcome.kind is OutcomeKind.FAILED
    assert state(planned(again(rotated))) == (Proof.ROTATED, None)
    assert state(planned(again(rotated, GOOGLE_SECRET=FIRST))) == (Proof.IN_SYNC, None)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_dies_with_a_rotation_under_way_leaves_the_truth_to_the_one_that_settles_it(
    hidden: World, moment: str
) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    rotated.die(planned(rotated), moment)
    meanwhile = planned(again(rotated))
    assert state(meanwhile) == (Proof.ROTATED, None)  # until it is settled, it is not known to have landed
    back = again(rotated, GOOGLE_SECRET=FIRST)
    assert state(planned(back)) == (Proof.UNPROVEN, Doubt.UNCERTAIN)
    settling = again(rotated, GOOGLE_SECRET=SECOND)
    (outcome,) = settling.resume()
    truth = hidden.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientSecret"]
    known = state(planned(again(rotated)))
    if outcome.kind is OutcomeKind.APPLIED:
        assert (truth, known) == (SECOND, (Proof.IN_SYNC, None))
    else:
        assert known == (Proof.ROTATED, None), outcome
    assert state(planned(again(rotated, GOOGLE_SECRET=FIRST))) != (Proof.IN_SYNC, None) or truth == FIRST


def test_a_rotation_that_was_not_seen_to_land_may_land_yet(hidden: World) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    rotated.die(planned(rotated, policy(12, **WRITTEN["UserPoolConfigs"])), "journalled")
    (outcome,) = again(rotated).resume()
    assert (outcome.kind, "did not land" in outcome.summary) == (OutcomeKind.FAILED, True)
    assert state(planned(again(rotated))) == (Proof.ROTATED, None)
    assert state(planned(again(rotated, GOOGLE_SECRET=FIRST))) == (Proof.UNPROVEN, Doubt.UNCERTAIN)


def test_a_provider_that_was_unlinked_and_is_linked_again_is_proven_anew(hidden: World) -> None:
    world = proven(hidden)
    applied(world, planned(world, nested(GOOGLE, None)))
    relinked = again(world)
    made = planned(relinked, nested(GOOGLE, {"ClientId": "google-1", "ClientSecret": "${env:GOOGLE_SECRET}"}))
    assert changes(only(made)) == [("ClientId", False), ("ClientSecret", False)]
    assert state(made) == (Proof.UNPROVEN, Doubt.ABSENT)
    applied(relinked, made)
    assert state(planned(again(relinked))) == (Proof.IN_SYNC, None)


# --- what others do, and what nobody sees ---------------------------------------------------------


def from_elsewhere(world: World, length: int = 8) -> None:
    """Another tool sends an update of what is live, with a length of passwords."""
    config = world.live()
    pool = config["UserPoolConfigs"]
    pool["PasswordPolicy"]["MinimumLength"] = length
    for created in ("UserPoolName", "SignInMethod", "RequiredSignUpAttributes", "ForgotPassword"):
        pool.pop(created, None)
    config["IdentityPoolConfigs"].pop("IdentityPoolName")
    target = world.services.target(APP, ENVIRONMENT, RESOURCE)
    world.services.writer_of(target).update_auth(target.target, config)


def linked_by_hand(world: World, **google: str) -> None:
    """Somebody links Google anew in the console, with another secret."""
    config = hosted(world.live())
    linked = {"ClientId": "google-1", "ClientSecret": SECOND, **google}
    config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] = {"Google": linked}
    world.seed(config)


def hosted(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with a hosted UI."""
    config["UserPoolConfigs"].setdefault("OAuth", configuration()["UserPoolConfigs"]["OAuth"])
    return config


@pytest.mark.parametrize("length", [8, 12], ids=["secret alone", "and what reads show"])
@pytest.mark.parametrize("fault", ["timeout_before", "drop_before"])
def test_a_job_of_somebody_else_proves_no_rotation_that_was_never_sent(hidden: World, fault: str, length: int) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    made = planned(rotated, policy(length, **WRITTEN["UserPoolConfigs"]))
    rotated.fault(f"{fault},operation=UpdateBackendAuth")
    meddled: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds and not meddled:
            meddled.append(seconds)
            from_elsewhere(rotated, length)
        rotated.time.sleep(seconds)

    (outcome,) = rotated.apply_all(made, sleep=sleep)
    assert meddled
    assert outcome.kind is (OutcomeKind.UNKNOWN if length == 8 else OutcomeKind.APPLIED)
    assert length == 8 or [finding.code for finding in outcome.findings] == ["secret-unseen"]
    assert state(planned(again(rotated))) == (Proof.ROTATED, None)


def test_a_job_of_somebody_else_proves_nothing_to_a_run_that_resumes(hidden: World) -> None:
    rotated = again(proven(hidden), GOOGLE_SECRET=SECOND)
    rotated.die(planned(rotated), "journalled")
    from_elsewhere(rotated)
    rotated.time.sleep(300)
    (outcome,) = again(rotated).resume()
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert state(planned(again(rotated))) == (Proof.ROTATED, None)


@pytest.mark.parametrize("path", [GOOGLE[:2], GOOGLE], ids=["OAuth", "Google"])
def test_what_an_update_took_away_is_proven_no_longer(hidden: World, path: tuple[str, ...]) -> None:
    world = proven(hidden)
    applied(world, planned(world, nested(path, None)))
    linked_by_hand(world)
    assert state(planned(again(world))) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)


def test_what_an_update_found_gone_is_proven_no_longer(hidden: World) -> None:
    world = proven(hidden)
    config = world.live()
    del config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]
    world.seed(config)
    applied(world, planned(world, policy(12)))
    linked_by_hand(world)
    assert state(planned(again(world))) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)


def test_what_moved_along_with_an_update_is_not_certain(hidden: World) -> None:
    world = proven(hidden)
    made = planned(world, policy(12, **WRITTEN["UserPoolConfigs"]))
    world.fault(f"collateral,operation=UpdateBackendAuth,field={'.'.join(GOOGLE[:3])},value=null")
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.UNVERIFIED
    linked_by_hand(world)
    assert state(planned(again(world))) == (Proof.UNPROVEN, Doubt.UNCERTAIN)


def test_a_secret_that_reads_otherwise_after_an_update_is_not_certain(hidden: World) -> None:
    world = proven(hidden)
    made = planned(world, policy(12, **WRITTEN["UserPoolConfigs"]))
    world.fault(f"collateral,operation=UpdateBackendAuth,field={'.'.join(SECRET)},value={SECOND}")

    def sleep(seconds: float) -> None:
        world.switch("secrets=clear") if seconds else None
        world.time.sleep(seconds)

    (outcome,) = world.apply_all(made, sleep=sleep)
    assert outcome.kind is OutcomeKind.UNVERIFIED
    world.switch("secrets=absent")
    assert state(planned(again(world))) == (Proof.UNPROVEN, Doubt.UNCERTAIN)


def test_a_provider_that_somebody_links_with_other_ids_is_proven_no_longer(hidden: World) -> None:
    world = proven(hidden)
    linked_by_hand(world, ClientId="google-2")
    assert state(planned(again(world))) == (Proof.UNPROVEN, Doubt.OTHER_IDS)


@pytest.mark.parametrize("path", [GOOGLE[:2], GOOGLE, SECRET], ids=["OAuth", "Google", "ClientSecret"])
@pytest.mark.parametrize("dies", [False, True])
def test_why_a_job_failed_is_not_repeated_where_it_may_quote_a_secret_that_nobody_knows(
    hidden: World, path: tuple[str, ...], dies: bool
) -> None:
    old = "brown-fox-77-jumps"
    linked_by_hand(hidden, ClientSecret=old)
    made = planned(hidden, WRITTEN if path == SECRET else nested(path, None), send=path == SECRET)
    hidden.fault(f"job_failed,operation=UpdateBackendAuth,text=Error: template {{ was: {old} }} rejected")
    if dies:
        hidden.die(made, "waiting")
        hidden.time.sleep(500)
        (outcome,) = again(hidden).resume()
    else:
        (outcome,) = hidden.apply_all(made)
    assert outcome.kind is OutcomeKind.FAILED
    assert "is not repeated" in outcome.detail
    assert old not in repr(outcome)
    assert not any(old.encode() in kept for kept in hidden.kept().values())
    assert dies or "aws amplifybackend get-backend-job" in outcome.hint


def test_of_why_a_job_failed_what_is_aws_s_own_is_told_in_any_case(hidden: World) -> None:
    said = "UPDATE_FAILED AWS::Cognito::UserPool InvalidParameterException: Cannot turn MFA functionality ON (tiger)"
    hidden.fault(f"job_failed,operation=UpdateBackendAuth,text={said}")
    (outcome,) = hidden.apply_all(planned(hidden, send=True))
    assert "it names UPDATE_FAILED, AWS::Cognito::UserPool, InvalidParameterException" in outcome.detail
    assert "write OPTIONAL" in outcome.hint
    assert "tiger" not in repr(outcome)


def test_why_a_job_failed_is_told_where_every_secret_in_it_is_known(hidden: World) -> None:
    world = proven(hidden)
    world.fault(f"job_failed,operation=UpdateBackendAuth,text=Error: the template with {FIRST} was rejected")
    (outcome,) = world.apply_all(planned(world, policy(12, **WRITTEN["UserPoolConfigs"])))
    assert outcome.detail == "Error: the template with **** was rejected"


# --- readable ------------------------------------------------------------------------------------


def test_a_readable_secret_is_compared_and_is_in_sync_once_the_service_hides_it(hidden: World) -> None:
    hidden.switch("secrets=clear", "apple_key=clear")
    assert state(planned(hidden)) == (Proof.READABLE, None)
    assert only(planned(hidden)).changes == ()
    rotated = again(hidden, GOOGLE_SECRET=SECOND)
    assert changes(only(planned(rotated))) == [("ClientSecret", False)]
    world = again(hidden, GOOGLE_SECRET=FIRST)
    applied(world, planned(world, policy(12, **WRITTEN["UserPoolConfigs"])))
    world.switch("secrets=absent", "apple_key=absent")
    assert state(planned(again(world))) == (Proof.IN_SYNC, None)


@pytest.mark.parametrize("mode", READ_MODES, ids=" ".join)
@pytest.mark.parametrize("written", [False, True])
def test_an_unrelated_change_never_clears_blanks_or_masks_a_secret(
    world: World, mode: tuple[str, ...], written: bool
) -> None:
    world.seed(configuration(providers=True))
    world.switch(*mode)
    before = world.live()
    values = {f"SECRET_{path[-2]}": SECRETS[path[-2]] for path in PLACES}
    command = again(world, GOOGLE_SECRET=SECRETS["Google"], **values)
    oauth = {"OAuth": {"SocialProviderSettings": ALL_FOUR}} if written else {}
    applied(command, planned(command, policy(12, **oauth)))
    before["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 12
    assert world.live() == before


# --- saved plans ---------------------------------------------------------------------------------


def saved(made: Plan) -> Plan:
    text = plan_json(made, "1.0")
    assert not any(secret in text for secret in (FIRST, SECOND, *SECRETS.values()))
    return from_json(text)


@EITHER_WAY
def test_a_plan_with_a_key_is_bound_to_the_values_of_its_secrets(hidden: World) -> None:
    made = saved(planned(hidden, send=True))
    assert codes_of_notes(made) == []
    (moved,) = again(hidden, GOOGLE_SECRET=SECOND).apply_all(made, saved=True)
    (keyless,) = again(hidden, key=None, GOOGLE_SECRET=FIRST).apply_all(made, saved=True)
    (otherwise,) = again(hidden, key="another-key" * 4).apply_all(made, saved=True)
    assert {outcome.kind for outcome in (moved, keyless, otherwise)} == {OutcomeKind.STALE}
    assert "RECONCILER_LEDGER_KEY" in keyless.hint
    assert hidden.updates == ()
    applied(again(hidden), made)


def test_a_plan_without_a_key_says_that_it_is_not_bound_and_sends_what_is_there_then(hidden: World) -> None:
    keyless = again(hidden, key=None)
    made = saved(planned(keyless, send=True))
    assert codes_of_notes(made) == ["secret-not-bound"]
    applied(again(hidden, key=None, GOOGLE_SECRET=SECOND), made)
    assert hidden.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientSecret"] == SECOND


def test_a_plan_is_refused_once_the_ledger_has_another_value_for_what_was_in_sync(hidden: World) -> None:
    world = proven(hidden)
    made = saved(planned(world, policy(12, **WRITTEN["UserPoolConfigs"])))
    other = again(world, GOOGLE_SECRET=SECOND)
    applied(other, planned(other))
    (outcome,) = again(world, GOOGLE_SECRET=FIRST).apply_all(made, saved=True)
    assert outcome.kind is OutcomeKind.STALE
    assert "ClientSecret" in outcome.summary


@pytest.mark.parametrize("mode", ["clear", "masked", "absent"])
def test_a_plan_without_secrets_is_applied_with_them(hidden: World, mode: str) -> None:
    hidden.switch(f"secrets={mode}", f"apple_key={mode}")
    config = policy(12, **WRITTEN["UserPoolConfigs"])
    (hidden.folder / "auth.yaml").write_text(json.dumps(document(config)), encoding="utf-8")
    del hidden.environ["GOOGLE_SECRET"]
    made = saved(of_file(again(hidden), secrets=False))
    assert state(made) == (Proof.UNPROVEN, Doubt.UNRESOLVED)
    assert changes(only(made)) == [("MinimumLength", False), ("ClientSecret", True)]
    assert only(made).applyable
    applied(again(hidden, GOOGLE_SECRET=SECOND), made)
    assert hidden.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientSecret"] == SECOND
    hidden.switch("secrets=absent", "apple_key=absent")
    assert state(planned(again(hidden), config)) == (Proof.IN_SYNC, None)


@pytest.mark.parametrize("mode", ["clear", "absent"])
@pytest.mark.parametrize("config", [WRITTEN, {**WRITTEN, **policy(8, **WRITTEN["UserPoolConfigs"])}])
def test_a_plan_without_secrets_that_shows_no_change_is_refused_where_one_was_rotated(
    hidden: World, mode: str, config: dict[str, Any]
) -> None:
    world = proven(hidden)
    (hidden.folder / "auth.yaml").write_text(json.dumps(document(config)), encoding="utf-8")
    made = saved(of_file(again(world), secrets=False))
    assert only(made).changes == ()
    (same,) = again(world, GOOGLE_SECRET=FIRST).apply_all(made, saved=True)
    assert same.kind is OutcomeKind.UNCHANGED
    world.switch(f"secrets={mode}", f"apple_key={mode}")
    made = saved(of_file(again(world), secrets=False))
    (rotated,) = again(world, GOOGLE_SECRET=SECOND).apply_all(made, saved=True)
    assert rotated.kind is OutcomeKind.STALE
    assert ("was rotated" if mode == "absent" else "differs from live") in rotated.summary
    assert world.updates[1:] == ()


def test_another_reference_is_told_also_where_it_may_not_be_followed(hidden: World) -> None:
    world = proven(hidden)
    other = nested(SECRET, "${env:ANOTHER_SECRET}")
    (hidden.folder / "auth.yaml").write_text(json.dumps(document(other)), encoding="utf-8")
    made = of_file(again(world), secrets=False)
    assert state(made) == (Proof.UNPROVEN, Doubt.OTHER_REFERENCE)
    assert only(made).changes == ()


def test_without_secrets_a_document_that_is_live_is_no_drift(hidden: World) -> None:
    (hidden.folder / "auth.yaml").write_text(json.dumps(document(WRITTEN)), encoding="utf-8")
    del hidden.environ["GOOGLE_SECRET"]
    made = of_file(again(hidden), secrets=False)
    assert only(made).changes == ()
    assert codes_of_notes(made) == ["secret-unproven"]


# --- what is kept --------------------------------------------------------------------------------


def test_the_ledger_keeps_a_keyed_fingerprint_and_only_of_what_was_sent_and_proven(hidden: World) -> None:
    failing = again(hidden)
    failing.fault("job_failed,operation=UpdateBackendAuth,text=Error: no")
    (outcome,) = failing.apply_all(planned(failing, send=True))
    assert outcome.kind is OutcomeKind.FAILED
    assert not any(b"hmac" in kept for kept in hidden.kept().values())
    world = proven(again(hidden))
    kept = world.kept()
    assert [name for name, content in kept.items() if b"hmac" in content] == [
        name for name in kept if name.startswith("journal/")
    ]
    assert not any(secret.encode() in content for secret in (FIRST, KEY) for content in kept.values())


NEW = {"send_secrets", "hidden", "secrets", "proven", "proving"}


def without_what_is_new(value: Any) -> Any:
    """What an earlier version would have written of it."""
    if isinstance(value, dict):
        return {name: without_what_is_new(below) for name, below in value.items() if name not in NEW}
    return [without_what_is_new(below) for below in value] if isinstance(value, list) else value


def test_a_ledger_of_an_earlier_version_is_read_and_its_update_is_settled(hidden: World) -> None:
    applied(hidden, planned(hidden, policy(10)))
    world = again(hidden)
    run = world.die(planned(world, policy(12)), "waiting")
    for path in (path for path in world.ledger_folder.rglob("*.json") if path.is_file()):
        path.write_text(json.dumps(without_what_is_new(json.loads(path.read_bytes()))), encoding="utf-8")
    world = again(world)
    assert [record.outcome.kind for record in world.records()] == [OutcomeKind.APPLIED]
    world.time.sleep(300)
    (outcome,) = world.resume()
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.way_back(run).planned
    assert state(planned(again(world))) == (Proof.UNPROVEN, Doubt.NEVER_PROVEN)


def codes_of_notes(made: Plan) -> list[str]:
    return [note.code for note in only(made).notes]
