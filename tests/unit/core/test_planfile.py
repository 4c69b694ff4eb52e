import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Access, Commit, Desired, FailureKind, Live, Plan, Setting, Target, TargetFailure
from reconciler.core.normalise import live_tree
from reconciler.core.planfile import fingerprint, from_json, to_json
from reconciler.core.planrecord import read_target, write_target
from reconciler.core.secret import Secret
from reconciler.core.targetplan import prepare
from reconciler.errors import Diagnostic, Origin, PlanRefused, Severity

ORIGIN = Origin("auth.yaml", 3, 5)
TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1", "123456789012")
POOL = {
    "SignInMethod": "EMAIL",
    "Mfa": {"MFAMode": "OFF"},
    "PasswordPolicy": {"MinimumLength": 8},
    "VerificationMessage": {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailMessage": "{####}"}},
    "OAuth": {
        "OAuthGrantType": "CODE",
        "OAuthScopes": ["OPENID"],
        "RedirectSignInURIs": ["https://shop.example.com/"],
        "RedirectSignOutURIs": ["https://shop.example.com/"],
        "SocialProviderSettings": {
            "Google": {"ClientId": "google", "ClientSecret": "google-live"},
            "Facebook": {"ClientId": "facebook", "ClientSecret": "facebook-live"},
        },
    },
}


def _plan(subject: str = "Your code", length: int = 12) -> Plan:
    """Build a plan with every kind of change, and a target that has none because it failed."""
    providers = ("UserPoolConfigs", "OAuth", "SocialProviderSettings")
    settings = {
        ("UserPoolConfigs", "SignInMethod"): Setting("USERNAME", ORIGIN),
        ("UserPoolConfigs", "PasswordPolicy", "MinimumLength"): Setting(length, ORIGIN),
        ("UserPoolConfigs", "VerificationMessage", "EmailSettings", "EmailSubject"): Setting(subject, ORIGIN),
        ("UserPoolConfigs", "OAuth", "OAuthScopes"): Setting(
            (Setting("OPENID", ORIGIN), Setting("EMAIL", ORIGIN)), ORIGIN
        ),
        (*providers, "Google", "ClientSecret"): Setting(Secret("google-new", "${env:GOOGLE}"), ORIGIN),
        (*providers, "Facebook"): Setting(None, ORIGIN),
    }
    desired = Desired(
        "shop-prod",
        TARGET,
        Access("ci"),
        settings,
        ORIGIN,
        frozenset({"mfa-on", "unread-mfa"}),
        {"team": "shop"},
        wave=3,
    )
    tree = live_tree({"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": POOL})
    lack = Diagnostic(Severity.ERROR, "code", "summary", "detail", "hint", ORIGIN, "excerpt", "shop-eu")
    failure = TargetFailure("shop-eu", TARGET, FailureKind.INPUT, "it failed", "detail", "hint", (lack,))
    return Plan((prepare(desired, Live(tree, fingerprint(tree))).plan, failure), "2031-05-04T03:02:01Z")


def _text(plan: Plan) -> str:
    return json.dumps(to_json(plan, version="1.0"))


@given(subject=st.text(min_size=1), length=st.integers(6, 99))
def test_a_plan_read_back_is_the_plan_that_was_written(subject: str, length: int) -> None:
    plan = _plan(subject, length)
    assert from_json(_text(plan)) == plan
    assert _text(from_json(_text(plan))) == _text(plan)


@pytest.mark.parametrize("dirty", [True, False, None])
def test_a_commit_is_read_back_as_git_told_it(dirty: bool | None) -> None:
    plan = replace(_plan(), commit=Commit("f" * 40, dirty=dirty))
    assert from_json(_text(plan)) == plan


def test_a_digest_names_the_plan() -> None:
    assert to_json(_plan(), version="1.0")["reconciler"]["digest"].startswith("sha256:")
    assert (
        to_json(_plan(), version="1.0")["reconciler"]["digest"]
        != to_json(_plan("Another"), version="1.0")["reconciler"]["digest"]
    )


def test_a_record_of_a_version_without_waves_is_of_the_first_one() -> None:
    planned = _plan().planned[0]
    written = write_target(planned)
    del written["wave"]
    assert read_target(written) == replace(planned, desired=replace(planned.desired, wave=0))


@pytest.mark.parametrize("wave", [True, "1", 1.5, None])
def test_a_wave_that_is_no_whole_number_is_no_plan(wave: Any) -> None:
    with pytest.raises(TypeError, match="whole number"):
        read_target({**write_target(_plan().planned[0]), "wave": wave})


@pytest.mark.parametrize("project", [3, "", "/etc", "a\0b"])
def test_a_project_that_is_no_relative_path_is_refused(project: Any) -> None:
    forged = replace(_plan(), project=project)
    with pytest.raises(PlanRefused, match="shape of a plan"):
        from_json(_text(forged))


def _edit(path: tuple[str | int, ...], value: Any) -> Callable[[Any], None]:
    def edit(body: Any) -> None:
        for part in path[:-1]:
            body = body[part]
        body[path[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_edit(("reconciler", "targets", 0, "name"), "other"), "damaged or was edited"),
        (_edit(("applyable",), True), "damaged or was edited"),
        (_edit(("reconciler", "digest"), None), "damaged or was edited"),
        (_edit(("reconciler", "plan_version"), 99), "another version"),
        (_edit(("reconciler", "catalogue_version"), 99), "another version"),
        (_edit(("reconciler",), []), "no plan of reconciler"),
    ],
)
def test_a_plan_that_was_touched_is_refused(edit: Callable[[Any], None], said: str) -> None:
    body = to_json(_plan(), version="1.0")
    edit(body)
    with pytest.raises(PlanRefused, match=said):
        from_json(json.dumps(body))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(PlanRefused, match="not JSON"):
        from_json(text)


def test_the_same_state_spelt_otherwise_has_the_same_fingerprint() -> None:
    left = {"UserPoolConfigs": {**POOL, "RequiredSignUpAttributes": ["NAME", "EMAIL"]}}
    right = {"UserPoolConfigs": {**POOL, "RequiredSignUpAttributes": ["EMAIL", "NAME", "EMAIL"]}}
    assert fingerprint(live_tree(left)) == fingerprint(live_tree(right))
