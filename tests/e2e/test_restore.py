"""The way back from a run: live is as it was before, and what is not is named, by path, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.core.diff import differences
from reconciler.core.fields import PROVIDERS as LINKED
from reconciler.core.model import NOT_RESTORED, Action, FailureKind, Outcome, OutcomeKind, Plan, TargetPlan, dotted
from reconciler.core.normalise import live_tree
from reconciler.core.secret import SecretState
from reconciler.core.tree import ABSENT, get
from tests.e2e.conftest import PROVIDERS, SECRETS, World, codes, configuration, document, only, policy

pytestmark = pytest.mark.broad

CLEAR = ("secrets=clear", "apple_key=clear")
MASKED = ("secrets=masked", "apple_key=masked")
ABSENT_SECRETS = ("secrets=absent", "apple_key=absent")
SECRET = {name: "PrivateKey" if name == "SignInWithApple" else "ClientSecret" for name in PROVIDERS}
GUARDS = ("identity-pool-deletion", "mfa-on", "unseen-settings")
ANOTHER = "GOCSPX-another-canary-2b8e"
POOL_NAME = "IdentityPoolConfigs.IdentityPoolName"
GOOGLE = "UserPoolConfigs.OAuth.SocialProviderSettings.Google"


def pool(**blocks: Any) -> dict[str, Any]:
    """A document's ``ResourceConfig`` that writes blocks of the user pool."""
    return {"UserPoolConfigs": blocks}


def oauth(**members: Any) -> dict[str, Any]:
    return pool(OAuth=members)


def social(**providers: Any) -> dict[str, Any]:
    return oauth(SocialProviderSettings=providers)


def referring(name: str, **more: Any) -> dict[str, Any]:
    """A provider whose secret is a reference."""
    return {**PROVIDERS[name], SECRET[name]: f"${{env:SECRET_{name}}}", **more}


REFERRING = {name: referring(name) for name in PROVIDERS}


# --- what was live ------------------------------------------------------------------------------


def plain() -> dict[str, Any]:
    return configuration()


def linked() -> dict[str, Any]:
    return configuration(providers=True)


def bare() -> dict[str, Any]:
    """As little as there can be."""
    config = configuration()
    config["AuthResources"] = "USER_POOL_ONLY"
    del config["IdentityPoolConfigs"], config["UserPoolConfigs"]["OAuth"]
    config["UserPoolConfigs"]["Mfa"] = {"MFAMode": "OFF"}
    config["UserPoolConfigs"]["PasswordPolicy"] = {"MinimumLength": 8, "AdditionalConstraints": []}
    return config


def strict() -> dict[str, Any]:
    """MFA for everybody."""
    config = configuration()
    config["UserPoolConfigs"]["Mfa"]["MFAMode"] = "ON"
    return config


def silent() -> dict[str, Any]:
    """No message for verification."""
    config = configuration()
    del config["UserPoolConfigs"]["VerificationMessage"]
    return config


# --- there and back -----------------------------------------------------------------------------


def begin(world: World, seed: Callable[[], dict[str, Any]], *switches: str) -> dict[str, Any]:
    """Let something be live, and every secret have its variable; return the truth."""
    for name, value in SECRETS.items():
        world.environ[f"SECRET_{name}"] = value
    world.seed(seed())
    world.switch(*switches)
    return world.live()


def carried_out(world: World, made: Plan) -> tuple[str, Outcome]:
    """Apply a plan that can be applied, and return its run and what became of it."""
    assert only(made).applyable, (only(made).blocks, only(made).standing_guards, only(made).changes)
    keeping = world.keeping(made)
    (outcome,) = world.apply_all(made, keeping=keeping)
    return keeping.run.id, outcome


def there(world: World, config: Mapping[str, Any]) -> str:
    """Carry a change out, every guard allowed, and return its run."""
    run, outcome = carried_out(world, world.plan(document(config), allow=GUARDS))
    assert outcome.kind is OutcomeKind.APPLIED, outcome
    return run


def back(world: World, run: str) -> tuple[TargetPlan, Outcome]:
    """Plan the way back, every guard allowed, and apply it."""
    made = world.way_back(run, allow=GUARDS)
    return only(made), carried_out(world, made)[1]


def left(plan: TargetPlan) -> list[str]:
    """What a plan says that does not come back."""
    return [warning.summary for warning in plan.warnings if warning.code == NOT_RESTORED]


def names(summaries: list[str]) -> set[str]:
    """The paths, or providers, that they begin with."""
    return {summary.split(" ")[0] for summary in summaries}


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Each path that differs in truth; a provider that is not there any more is one."""
    earlier, later = live_tree(before), live_tree(after)
    return {
        path[len(LINKED)]
        if path[: len(LINKED)] == LINKED and get(later, path[: len(LINKED) + 1]) is ABSENT
        else dotted(path)
        for path in (difference.path for difference in differences(earlier, later))
    }


CHANGES: Mapping[str, tuple[Callable[[], dict[str, Any]], Mapping[str, Any]]] = {
    "length": (plain, policy(12)),
    "length beside providers": (linked, policy(12)),
    "other constraints": (plain, pool(PasswordPolicy={"AdditionalConstraints": ["REQUIRE_SYMBOL"]})),
    "no constraints": (plain, pool(PasswordPolicy={"AdditionalConstraints": None})),
    "constraints where none were": (bare, pool(PasswordPolicy={"AdditionalConstraints": ["REQUIRE_DIGIT"]})),
    "whole policy": (
        plain,
        pool(PasswordPolicy={"MinimumLength": 20, "AdditionalConstraints": ["REQUIRE_UPPERCASE", "REQUIRE_DIGIT"]}),
    ),
    "mfa off": (plain, pool(Mfa={"MFAMode": "OFF"})),
    "mfa on": (plain, pool(Mfa={"MFAMode": "ON"})),
    "mfa no longer on": (strict, pool(Mfa={"MFAMode": "OPTIONAL"})),
    "mfa where none was": (
        bare,
        pool(Mfa={"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["TOTP"], "SmsMessage": "{####}"}}),
    ),
    "other mfa types": (plain, pool(Mfa={"Settings": {"MfaTypes": ["TOTP"]}})),
    "more mfa types": (plain, pool(Mfa={"Settings": {"MfaTypes": ["SMS", "TOTP"]}})),
    "mfa message": (plain, pool(Mfa={"Settings": {"SmsMessage": "It is {####}"}})),
    "sign-in redirects": (plain, oauth(RedirectSignInURIs=["https://elsewhere.example.com/"])),
    "sign-out redirects": (plain, oauth(RedirectSignOutURIs=["https://shop.example.com/", "https://bye.example.com/"])),
    "fewer scopes": (plain, oauth(OAuthScopes=["OPENID"])),
    "other scopes": (plain, oauth(OAuthScopes=["OPENID", "PHONE", "PROFILE"])),
    "grant type": (plain, oauth(OAuthGrantType="IMPLICIT")),
    "domain": (plain, oauth(DomainPrefix="shop-elsewhere")),
    "all of oauth": (plain, oauth(DomainPrefix="other", OAuthGrantType="IMPLICIT", OAuthScopes=["OPENID"])),
    "no guests": (plain, {"IdentityPoolConfigs": {"UnauthenticatedLogin": False}}),
    "verification by mail": (plain, pool(VerificationMessage={"EmailSettings": {"EmailSubject": "Another subject"}})),
    "verification by sms": (
        plain,
        pool(VerificationMessage={"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "It is {####}"}}),
    ),
    "a provider": (plain, social(Google=referring("Google"))),
    "every provider": (plain, social(**REFERRING)),
    "another client of a provider": (
        linked,
        social(**{**REFERRING, "Google": referring("Google", ClientId="google-2")}),
    ),
    "grant type beside providers": (linked, oauth(OAuthGrantType="IMPLICIT", SocialProviderSettings=REFERRING)),
    "no oauth": (plain, pool(OAuth=None)),
    "oauth where none was": (bare, oauth(**configuration()["UserPoolConfigs"]["OAuth"])),
    "oauth with a provider where none was": (
        bare,
        oauth(**configuration()["UserPoolConfigs"]["OAuth"], SocialProviderSettings={"Google": referring("Google")}),
    ),
    "an identity pool where none was": (
        bare,
        {"AuthResources": "IDENTITY_POOL_AND_USER_POOL", "IdentityPoolConfigs": {"UnauthenticatedLogin": True}},
    ),
    "several at once": (
        plain,
        {
            "IdentityPoolConfigs": {"UnauthenticatedLogin": False},
            "UserPoolConfigs": {
                "PasswordPolicy": {"MinimumLength": 20},
                "Mfa": {"MFAMode": "OFF"},
                "OAuth": {"OAuthScopes": ["OPENID"]},
            },
        },
    ),
}
"""What was live, and a change of it whose way back is whole."""

SERVICES = (ABSENT_SECRETS, MASKED, CLEAR, ("omitted=keep",), ("domain=suffix",), ("empty_lists=absent",))
UNPROVEN = ("another client of a provider", "grant type beside providers")
"""Changes that send secrets to providers whose own can't be read: the same as before, and nobody knows."""
LINKING = ("a provider", "every provider")
"""Changes that a service which keeps whatever is left out can't be made to take back."""
WHOLE = [
    pytest.param(change, switches, id=f"{change}-{' '.join(switches)}")
    for change in CHANGES
    for switches in SERVICES
    if switches != ("omitted=keep",) or change not in LINKING
]


@pytest.mark.parametrize(("change", "switches"), WHOLE)
def test_live_is_as_it_was_before_the_run(world: World, change: str, switches: tuple[str, ...]) -> None:
    seed, config = CHANGES[change]
    before = begin(world, seed, *switches)
    run = there(world, config)
    assert world.live() != before
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.live() == before
    unreadable = switches != CLEAR and change in UNPROVEN
    assert len(left(plan)) == (len(PROVIDERS) if unreadable else 0)
    assert all(summary.endswith("may not be what it was: nobody read it") for summary in left(plan))
    assert not any(secret in repr((plan, outcome)) for secret in SECRETS.values())


@pytest.mark.parametrize("change", [change for change in CHANGES if change not in LINKING])
def test_the_way_back_is_a_run_that_can_be_gone_back_from(world: World, change: str) -> None:
    seed, config = CHANGES[change]
    begin(world, seed, *CLEAR)
    run = there(world, config)
    changed = world.live()
    _, outcome = back(world, run)
    record = next(record for record in world.records() if record.run.id != run)
    assert (record.sent, record.outcome, record.jobs) == (True, outcome, (outcome.job,))
    again, outcome = back(world, record.run.id)
    assert outcome.kind is OutcomeKind.APPLIED
    assert moved(changed, world.live()) <= names(left(again)) <= {"Google", POOL_NAME}
    assert len(world.updates) == 3


@pytest.mark.parametrize(("change", "providers"), [("a provider", ("Google",)), ("every provider", tuple(PROVIDERS))])
def test_a_way_back_that_unlinked_a_provider_has_none_itself(
    world: World, change: str, providers: tuple[str, ...]
) -> None:
    seed, config = CHANGES[change]
    begin(world, seed, *CLEAR)
    run = there(world, config)
    back(world, run)
    record = next(record for record in world.records() if record.run.id != run)
    made = world.way_back(record.run.id)
    assert (only(made).changes, left(only(made))) == ((), gone(*providers))


@pytest.mark.parametrize("change", LINKING)
def test_a_service_that_keeps_what_is_left_out_keeps_a_provider_and_it_is_told(world: World, change: str) -> None:
    seed, config = CHANGES[change]
    begin(world, seed, "omitted=keep")
    plan, outcome = back(world, there(world, config))
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert {finding.summary.split(" ")[0] for finding in outcome.findings} == {
        dotted(gone.path) for gone in plan.changes if gone.action is Action.REMOVE
    }


# --- what does not come back --------------------------------------------------------------------


def gone(*providers: str) -> list[str]:
    return [f"{provider} can't be linked again: nobody kept its secret" for provider in providers]


@dataclass(frozen=True)
class Lossy:
    """A change whose way back is not whole, and all that is left of it."""

    seed: Callable[[], dict[str, Any]]
    config: Mapping[str, Any]
    remainder: list[str]
    switches: tuple[str, ...] = CLEAR
    detail: str = ""
    sends: bool = True


LOSSES: Mapping[str, Lossy] = {
    "a provider unlinked": Lossy(linked, social(Google=None), gone("Google"), sends=False),
    "a provider unlinked beside a change": Lossy(
        linked, oauth(OAuthGrantType="IMPLICIT", SocialProviderSettings={"Google": None}), gone("Google")
    ),
    "a provider unlinked by a document that refers to the others": Lossy(
        linked,
        oauth(OAuthGrantType="IMPLICIT", SocialProviderSettings={**REFERRING, "Facebook": None}),
        [
            *gone("Facebook"),
            *(
                f"{dotted((*LINKED, name, SECRET[name]))} may not be what it was: nobody read it"
                for name in PROVIDERS
                if name != "Facebook"
            ),
        ],
        ABSENT_SECRETS,
    ),
    "oauth removed with its providers": Lossy(linked, pool(OAuth=None), gone(*PROVIDERS)),
    "oauth removed, its secrets unreadable": Lossy(linked, pool(OAuth=None), gone(*PROVIDERS), MASKED),
    "the identity pool removed": Lossy(
        plain,
        {"AuthResources": "USER_POOL_ONLY"},
        [f"{POOL_NAME} stays as it is now"],
        detail="It is chosen when the user pool is created.",
    ),
    "a message added": Lossy(
        silent,
        pool(
            PasswordPolicy={"MinimumLength": 12},
            VerificationMessage={"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "{####}"}},
        ),
        [
            "UserPoolConfigs.VerificationMessage.DeliveryMethod stays as it is now",
            "UserPoolConfigs.VerificationMessage.SmsSettings.SmsMessage stays as it is now",
        ],
        detail="The update did not add it, or this API can't remove it.",
    ),
    "the deprecated message": Lossy(
        plain,
        pool(PasswordPolicy={"MinimumLength": 12}, ForgotPassword={"EmailSettings": {"EmailSubject": "Another"}}),
        ["UserPoolConfigs.ForgotPassword.EmailSettings.EmailSubject stays as it is now"],
        detail="ForgotPassword is deprecated, and follows VerificationMessage.",
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_does_not_come_back_is_named_and_nothing_else_is(world: World, loss: str) -> None:
    case = LOSSES[loss]
    before = begin(world, case.seed, *case.switches)
    run = there(world, case.config)
    made = world.way_back(run, allow=GUARDS)
    assert left(only(made)) == case.remainder
    assert only(made).applyable == case.sends
    if case.sends:
        assert carried_out(world, made)[1].kind is OutcomeKind.APPLIED
    doubtful = {name for name in names(case.remainder) if name.endswith((".ClientSecret", ".PrivateKey"))}
    assert moved(before, world.live()) == names(case.remainder) - doubtful
    findings = [warning for warning in only(made).warnings if warning.code == NOT_RESTORED]
    assert not case.detail or {finding.detail for finding in findings} == {case.detail}


def test_what_can_not_be_linked_again_is_told_with_what_to_do(world: World) -> None:
    begin(world, linked, *CLEAR)
    (warning,) = only(world.way_back(there(world, social(Google=None)))).warnings
    assert warning.hint == "write Google with a reference to its secret into the document, and apply that"


def test_what_can_not_be_linked_again_can_be_as_the_hint_says(world: World) -> None:
    before = begin(world, linked, *CLEAR)
    there(world, social(Google=None))
    assert world.apply(social(Google=referring("Google"))).kind is OutcomeKind.APPLIED
    assert moved(before, world.live()) == set()


@pytest.mark.parametrize("switches", [CLEAR, ABSENT_SECRETS, MASKED], ids=" ".join)
def test_a_secret_is_sent_as_its_reference_resolves_now(world: World, switches: tuple[str, ...]) -> None:
    before = begin(world, linked, *switches)
    world.environ["SECRET_Google"] = ANOTHER
    run = there(world, oauth(OAuthGrantType="IMPLICIT", SocialProviderSettings=REFERRING))
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    assert moved(before, world.live()) == {f"{GOOGLE}.ClientSecret"}
    assert world.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientSecret"] == ANOTHER
    if switches == CLEAR:
        assert left(plan) == [f"{GOOGLE}.ClientSecret is not what it was: nobody kept it"]
    else:
        assert f"{GOOGLE}.ClientSecret may not be what it was: nobody read it" in left(plan)
    assert {warning.detail for warning in plan.warnings if warning.code == NOT_RESTORED} == {
        "Its reference is sent as it resolves now."
    }
    assert ANOTHER not in repr((plan, outcome, world.kept()))


def test_a_reference_without_a_value_is_named_and_its_provider_is_in_nobodys_way(world: World) -> None:
    begin(world, linked)
    run = there(world, pool(PasswordPolicy={"MinimumLength": 12}, OAuth={"SocialProviderSettings": REFERRING}))
    del world.environ["SECRET_Google"]
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    assert f"{GOOGLE}.ClientSecret is not sent: a reference has no value" in left(plan)
    assert [finding.origin is not None for finding in plan.warnings if "is not sent" in finding.summary] == [True]
    assert world.live()["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 8


def test_a_way_back_that_needs_a_reference_without_a_value_is_blocked(world: World) -> None:
    begin(world, linked)
    run = there(world, oauth(OAuthGrantType="IMPLICIT", SocialProviderSettings=REFERRING))
    del world.environ["SECRET_Google"]
    made = world.way_back(run)
    assert [block.code for block in only(made).blocks] == ["oauth-not-whole"]
    assert f"{GOOGLE}.ClientSecret is not sent: a reference has no value" in left(only(made))
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.BLOCKED
    assert len(world.updates) == 1


@pytest.mark.parametrize(
    ("switch", "named"),
    [
        ("user_groups", "user groups"),
        ("admin_queries", "admin queries"),
        ("identity_federation", "identity pool federation"),
    ],
)
def test_what_the_update_cleared_and_this_api_can_not_express_is_named(world: World, switch: str, named: str) -> None:
    before = begin(world, plain, f"{switch}=on")
    plan, outcome = back(world, there(world, policy(12)))
    (warning,) = (warning for warning in plan.warnings if warning.code == NOT_RESTORED)
    assert warning.summary == f"{named}: were there before the update, which clears them"
    assert warning.hint == "this API can't express them: bring them back with the Amplify CLI"
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)


# --- a plan like any other ----------------------------------------------------------------------


def test_planning_the_way_back_sends_and_writes_nothing(world: World) -> None:
    begin(world, plain)
    run = there(world, policy(12))
    live, kept = world.live(), world.kept()
    made = world.way_back(run)
    assert [(change.path[-1], change.before, change.after) for change in only(made).changes] == [
        ("MinimumLength", 12, 8)
    ]
    assert (len(world.updates), world.live(), world.kept()) == (1, live, kept)


@pytest.mark.parametrize(
    ("code", "seed", "config"),
    [
        ("identity-pool-deletion", bare, {"AuthResources": "IDENTITY_POOL_AND_USER_POOL"}),
        ("mfa-on", strict, pool(Mfa={"MFAMode": "OPTIONAL"})),
    ],
)
def test_a_guard_stands_in_the_way_back_too_until_it_is_allowed(
    world: World, code: str, seed: Callable[[], dict[str, Any]], config: Mapping[str, Any]
) -> None:
    before = begin(world, seed)
    run = there(world, config)
    (refused,) = world.apply_all(world.way_back(run))
    assert (refused.kind, codes(refused)) == (OutcomeKind.GUARDED, [code])
    assert len(world.updates) == 1
    _, outcome = carried_out(world, world.way_back(run, allow=(code,)))
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)


def test_what_was_set_up_since_and_the_way_back_would_clear_is_guarded(world: World) -> None:
    before = begin(world, plain)
    run = there(world, policy(12))
    world.seed(world.live())
    world.switch("user_groups=on")
    (refused,) = world.apply_all(world.way_back(run))
    assert (refused.kind, codes(refused)) == (OutcomeKind.GUARDED, ["unseen-settings"])
    _, outcome = carried_out(world, world.way_back(run, allow=("unseen-settings",)))
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)


def test_what_was_allowed_on_the_way_there_is_not_allowed_on_the_way_back(world: World) -> None:
    begin(world, strict)
    run, outcome = carried_out(
        world, world.plan(document(pool(Mfa={"MFAMode": "OPTIONAL"})), allow=("mfa-on", "unseen-settings"))
    )
    assert outcome.kind is OutcomeKind.APPLIED
    assert [guard.code for guard in only(world.way_back(run)).standing_guards] == ["mfa-on"]


def test_once_there_is_nothing_left_to_go_back_the_plan_has_no_changes(world: World) -> None:
    begin(world, plain)
    run = there(world, policy(12))
    back(world, run)
    made = world.way_back(run)
    assert (only(made).changes, left(only(made))) == ((), [])
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.UNCHANGED
    assert len(world.updates) == 2


def test_a_way_back_that_live_moved_away_from_since_it_was_planned_is_stale(world: World) -> None:
    begin(world, plain)
    made = world.way_back(there(world, policy(12)))
    world.apply(policy(14))
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.STALE
    assert len(world.updates) == 2


def test_a_target_that_can_not_be_read_has_no_way_back_and_hides_no_other(world: World) -> None:
    begin(world, plain)
    world.seed(environment="dev")
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    keeping = world.keeping(made)
    world.apply_all(made, keeping=keeping)
    world.fault("access_denied,operation=GetBackendAuth,environment=dev,times=0")
    way_back = world.way_back(keeping.run.id)
    assert [(failure.name, failure.kind) for failure in way_back.failures] == [("dev", FailureKind.ACCESS)]
    assert [(plan.name, len(plan.changes)) for plan in way_back.planned] == [("prod", 1)]


def test_every_target_of_a_run_goes_back_to_its_own(world: World) -> None:
    begin(world, plain)
    dev = configuration()
    dev["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 10
    world.seed(dev, environment="dev")
    before = world.live("dev"), world.live()
    made = world.plan(*(document(policy(12), environment=name, name=name) for name in ("dev", "prod")))
    keeping = world.keeping(made)
    world.apply_all(made, keeping=keeping)
    outcomes = world.apply_all(world.way_back(keeping.run.id))
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.APPLIED] * 2
    assert (world.live("dev"), world.live()) == before


@pytest.mark.parametrize("moment", ["sent", "waiting", "proven"])
def test_a_run_that_died_and_was_settled_has_a_way_back(world: World, moment: str) -> None:
    before = begin(world, plain)
    run = world.die(world.plan(document(policy(12))), moment)
    assert world.resume()[0].kind is OutcomeKind.APPLIED
    _, outcome = back(world, run)
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)


# --- what else moved ----------------------------------------------------------------------------


def test_what_moved_although_nobody_asked_for_it_is_taken_back_too(world: World) -> None:
    before = begin(world, plain)
    world.fault(
        '{"kind": "collateral", "operation": "UpdateBackendAuth", '
        '"field": "UserPoolConfigs.Mfa", "value": {"MFAMode": "OFF"}}'
    )
    run, outcome = carried_out(world, world.plan(document(policy(12))))
    assert outcome.kind is OutcomeKind.UNVERIFIED
    _, outcome = back(world, run)
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)


def without_google(world: World) -> None:
    """Somebody unlinks Google where it is managed otherwise."""
    config = world.live()
    del config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
    world.seed(config)


@pytest.mark.parametrize("switches", [ABSENT_SECRETS, MASKED], ids=" ".join)
def test_a_provider_that_is_gone_and_can_not_be_linked_again_keeps_nothing_else_from_coming_back(
    world: World, switches: tuple[str, ...]
) -> None:
    before = begin(world, linked, *switches)
    run = there(world, policy(12))
    without_google(world)
    plan, outcome = back(world, run)
    assert left(plan) == gone("Google")
    assert outcome.kind is OutcomeKind.APPLIED
    assert moved(before, world.live()) == {"Google"}


def test_a_provider_that_is_gone_is_linked_again_where_the_document_refers_to_its_secret(world: World) -> None:
    before = begin(world, linked)
    run = there(world, pool(PasswordPolicy={"MinimumLength": 12}, OAuth={"SocialProviderSettings": REFERRING}))
    without_google(world)
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    assert moved(before, world.live()) == set()
    assert gone("Google")[0] not in left(plan)


def test_a_client_of_which_nobody_has_the_secret_stays_and_is_named(world: World) -> None:
    before = begin(world, linked)
    run = there(world, policy(12))
    config = world.live()
    config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientId"] = "google-2"
    world.seed(config)
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    assert moved(before, world.live()) == {f"{GOOGLE}.ClientId"}
    (warning,) = (warning for warning in plan.warnings if warning.code == NOT_RESTORED)
    assert warning.summary == f"{GOOGLE}.ClientId stays as it is now"
    assert warning.detail == "A provider is sent whole, and nobody kept its secret."


def test_what_somebody_else_changed_since_is_taken_back_where_the_snapshot_has_another_value(world: World) -> None:
    before = begin(world, plain)
    run = there(world, policy(12))
    there(world, pool(PasswordPolicy={"MinimumLength": 16}, OAuth={"OAuthGrantType": "IMPLICIT"}))
    plan, outcome = back(world, run)
    assert {change.path[-1] for change in plan.changes} == {"MinimumLength", "OAuthGrantType"}
    assert (outcome.kind, left(plan), world.live()) == (OutcomeKind.APPLIED, [], before)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (
            pool(PasswordPolicy={"AdditionalConstraints": ["REQUIRE_DIGIT"]}),
            {"UserPoolConfigs.PasswordPolicy.AdditionalConstraints.REQUIRE_DIGIT"},
        ),
        (
            oauth(**configuration()["UserPoolConfigs"]["OAuth"]),
            {
                dotted(("UserPoolConfigs", "OAuth", *path))
                for path in (
                    ("DomainPrefix",),
                    ("OAuthGrantType",),
                    *(("OAuthScopes", scope) for scope in ("OPENID", "EMAIL")),
                    *(
                        ("RedirectSignInURIs", uri)
                        for uri in ("https://shop.example.com/callback/", "http://localhost:3000/")
                    ),
                    ("RedirectSignOutURIs", "https://shop.example.com/"),
                )
            },
        ),
    ],
)
def test_what_somebody_else_added_since_stays_and_is_named(
    world: World, config: Mapping[str, Any], named: set[str]
) -> None:
    before = begin(world, bare)
    run = there(world, policy(12))
    there(world, config)
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    assert names(left(plan)) == moved(before, world.live()) == named
    details = {warning.detail for warning in plan.warnings if warning.code == NOT_RESTORED}
    assert details == {"The update did not add it, or this API can't remove it."}


def test_the_snapshot_of_the_way_back_has_no_secret(world: World) -> None:
    begin(world, linked, *CLEAR)
    plan, _ = back(world, there(world, oauth(OAuthGrantType="IMPLICIT")))
    for provider, member in SECRET.items():
        assert get(plan.live, (*LINKED, provider, member)) is SecretState.READABLE
    assert not any(secret.encode() in kept for kept in world.kept().values() for secret in SECRETS.values())


# --- a domain prefix that nobody knows for sure -------------------------------------------------


def in_doubt(world: World) -> None:
    """The service appends the environment to the prefix, and the backend's meta does not tell the hosted domain."""
    world.switch("domain=suffix")
    world.fault('{"kind": "meta_collateral", "operation": "UpdateBackendAuth", "field": "*.output.HostedUIDomain"}')
    _, outcome = carried_out(world, world.plan(document(policy(10))))
    assert outcome.kind is OutcomeKind.UNVERIFIED


def test_a_prefix_that_may_have_been_read_with_the_environment_is_never_sent(world: World) -> None:
    begin(world, plain)
    in_doubt(world)
    before = world.live()
    plan, outcome = back(world, there(world, policy(12)))
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)
    assert left(plan) == []
    assert not any("OAuth" in update.body["ResourceConfig"]["UserPoolConfigs"] for update in world.updates[1:])


def test_a_prefix_in_doubt_that_the_document_writes_is_taken_back_as_it_is_written(world: World) -> None:
    begin(world, plain)
    in_doubt(world)
    before = world.live()
    written = {"DomainPrefix": "shop-signin", "OAuthGrantType": "IMPLICIT"}
    _, outcome = back(world, there(world, oauth(**written)))
    assert (outcome.kind, world.live()) == (OutcomeKind.APPLIED, before)


def test_a_prefix_in_doubt_that_is_gone_since_is_named(world: World) -> None:
    begin(world, plain)
    in_doubt(world)
    run = there(world, policy(12))
    there(world, pool(OAuth=None))
    plan, outcome = back(world, run)
    assert outcome.kind is OutcomeKind.APPLIED
    (warning,) = (warning for warning in plan.warnings if warning.code == NOT_RESTORED)
    assert warning.summary == "UserPoolConfigs.OAuth.DomainPrefix stays as it is now"
    assert warning.detail == "It may have been read with the environment appended: nobody knows how it is written."
