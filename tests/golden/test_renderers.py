"""What people and tools see, whole; ``RECONCILER_UPDATE_GOLDEN=1 pytest tests/golden`` writes the files anew."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from reconciler.core.model import (
    Access,
    Desired,
    FailureKind,
    Finding,
    Live,
    Meta,
    Outcome,
    OutcomeKind,
    Path,
    Plan,
    Setting,
    Target,
    TargetFailure,
    TargetPlan,
    Waiver,
)
from reconciler.core.normalise import live_tree
from reconciler.core.planfile import fingerprint
from reconciler.core.secret import Secret
from reconciler.core.targetplan import prepare
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.annotations import diagnostics_annotations, outcome_annotations, plan_annotations
from reconciler.render.html import diagnostics_html, outcome_html, plan_html
from reconciler.render.json import diagnostics_json, outcome_json, plan_json
from reconciler.render.junit import diagnostics_junit, outcome_junit, plan_junit
from reconciler.render.markdown import diagnostics_markdown, outcome_markdown, plan_markdown
from reconciler.render.ndjson import diagnostics_ndjson, outcome_ndjson, plan_ndjson
from reconciler.render.report import Headline, outcome_report, plan_report
from reconciler.render.sarif import diagnostics_sarif, outcome_sarif, plan_sarif
from reconciler.render.terminal import diagnostics_text, outcome_text, plan_text

Golden = Callable[[str, str], None]

VERSION = "0.1.0"
DIGEST = f"sha256:{'0' * 64}"
WHEN = "2031-05-04T03:02:01Z"
HOSTILE = (
    "\x1b[31mred\x1b[0m\r\n::error::owned\n##[error]owned ##vso[task.complete] %0A::set-output name=a::b\n"
    "``````\n```\n</details><script>alert(1)</script> | a | b |\n# heading\n@everyone #123 GH-1 org/repo#7 "
    '[link](javascript:x) ![i](https://tracker.example/i.png) www.example.com *b* _i_ ~s~ `c` $x$ ${y} \\ " :tada:\n'
    "\u202egnp.exe\u2066\u200b\ufeff\u00a0\u2028\U000e0041\ud800 \u00e9 \u7530 {####}"
)

Settings = Mapping[str, Any]


def _live(**blocks: Any) -> dict[str, Any]:
    """Build the live configuration that the tests change, as the service returns it."""
    pool: dict[str, Any] = {
        "SignInMethod": "EMAIL",
        "UserPoolName": "shop",
        "Mfa": {"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["SMS", "TOTP"], "SmsMessage": "Your code is {####}"}},
        "PasswordPolicy": {"MinimumLength": 8.0, "AdditionalConstraints": ["REQUIRE_DIGIT", "REQUIRE_SYMBOL"]},
        "VerificationMessage": {
            "DeliveryMethod": "EMAIL",
            "EmailSettings": {"EmailMessage": "Your code is {####}", "EmailSubject": "Your code"},
        },
        "OAuth": {
            "DomainPrefix": "shop-signin",
            "OAuthGrantType": "CODE",
            "OAuthScopes": ["EMAIL", "OPENID"],
            "RedirectSignInURIs": ["https://shop.example.com/old/", "https://shop.example.com/"],
            "RedirectSignOutURIs": ["https://shop.example.com/"],
            "SocialProviderSettings": {
                "Google": {"ClientId": "google", "ClientSecret": "****"},
                "Facebook": {"ClientId": "facebook", "ClientSecret": "facebook-live"},
                "LoginWithAmazon": {"ClientId": "amazon", "ClientSecret": "amazon-live-1"},
            },
        },
    }
    return {
        "AuthResources": "USER_POOL_ONLY",
        "Service": "COGNITO",
        "UserPoolConfigs": {**pool, **blocks},
    }


def _target(name: str) -> Target:
    return Target("d2k7example", name.removeprefix("shop-"), "shopauth", "us-east-1", "123456789012")


def _document(name: str, settings: Settings, allow: tuple[str, ...] = ()) -> Desired:
    """Build a document; keys are dotted paths below UserPoolConfigs, or whole with a leading dot."""
    written: dict[Path, Setting] = {}
    for line, (key, value) in enumerate(settings.items(), start=7):
        path = tuple(key[1:].split(".")) if key.startswith(".") else ("UserPoolConfigs", *key.split("."))
        origin = Origin(f"auth/{name}.yaml", line, 5)
        held = tuple(Setting(member, origin) for member in value) if isinstance(value, list) else value
        written[path] = Setting(held, origin)
    return Desired(
        name, _target(name), Access(), written, Origin(f"auth/{name}.yaml", 1, 1), frozenset(allow), {"team": "shop"}
    )


def _planned(
    document: Desired, config: dict[str, Any], meta: Meta | None = None, base: Desired | None = None
) -> TargetPlan:
    tree = live_tree(config)
    prefix = config["UserPoolConfigs"]["OAuth"]["DomainPrefix"]
    return prepare(document, Live(tree, fingerprint(tree), prefix, meta=meta), base=base).plan


def _secret(value: str, name: str) -> Secret:
    return Secret(value, f"${{env:{name}}}")


def _change() -> Plan:
    providers = "OAuth.SocialProviderSettings"
    settings: Settings = {
        "Mfa.MFAMode": "OPTIONAL",
        "Mfa.Settings.MfaTypes": ["TOTP"],
        "PasswordPolicy.MinimumLength": 12,
        "PasswordPolicy.AdditionalConstraints": ["REQUIRE_UPPERCASE", "REQUIRE_DIGIT", "REQUIRE_LOWERCASE"],
        "VerificationMessage.EmailSettings.EmailMessage": "Your new code is {####}",
        "OAuth.OAuthScopes": ["EMAIL", "OPENID", "PROFILE"],
        "OAuth.RedirectSignInURIs": ["https://shop.example.com/new/", "https://shop.example.com/"],
        f"{providers}.Google.ClientSecret": _secret("google-new-1", "GOOGLE"),
        f"{providers}.Facebook.ClientSecret": _secret("facebook-new", "FACEBOOK"),
        f"{providers}.LoginWithAmazon": None,
        f"{providers}.SignInWithApple.ClientId": "apple",
        f"{providers}.SignInWithApple.KeyId": "key",
        f"{providers}.SignInWithApple.TeamId": "team",
        f"{providers}.SignInWithApple.PrivateKey": _secret("apple-new-1", "APPLE"),
        "ForgotPassword.DeliveryMethod": "EMAIL",
        "ForgotPassword.EmailSettings.EmailMessage": "Reset with {####}",
        "ForgotPassword.EmailSettings.EmailSubject": "Reset",
        ".AuthResources": "IDENTITY_POOL_AND_USER_POOL",
        ".IdentityPoolConfigs.UnauthenticatedLogin": True,
    }
    return Plan((_planned(_document("shop-prod", settings), _live()),), WHEN)


def _hostile() -> Plan:
    long = "Dear customer, " * 100
    settings: Settings = {
        "Mfa.Settings.SmsMessage": HOSTILE,
        "VerificationMessage.EmailSettings.EmailSubject": "y" * 5_000,
        "VerificationMessage.EmailSettings.EmailMessage": f"{long}your new code is {{####}}. {long}",
        "OAuth.RedirectSignOutURIs": [f"https://shop.example.com/{HOSTILE}"],
        "OAuth.SocialProviderSettings.Google": None,
    }
    message = {"EmailMessage": f"{long}your code is {{####}}. {long}"}
    config = _live(VerificationMessage={"DeliveryMethod": "EMAIL", "EmailSettings": message})
    plan = _planned(_document("shop-prod", settings), config)
    finding = Finding("code\n::error::", HOSTILE, HOSTILE, HOSTILE, Origin(f"{HOSTILE}.yaml", 3, 1))
    name = "shop\n::error::`|<b>@all"
    worst = replace(plan, desired=replace(plan.desired, name=name), warnings=(finding,))
    failure = TargetFailure(HOSTILE, _target(HOSTILE), FailureKind.READ, HOSTILE, HOSTILE, HOSTILE)
    return Plan((worst, failure), WHEN)


def _refused() -> Plan:
    blocked = _document(
        "shop-prod", {"UserPoolName": "store", "SignInMethod": "EMAIL", "OAuth.OAuthGrantType": "IMPLICIT"}
    )
    guarded = _document("shop-test", {"Mfa.MFAMode": "ON"})
    allowed = _document("shop-beta", {"Mfa.MFAMode": "ON", "RequiredSignUpAttributes": ["NAME"]}, allow=("mfa-on",))
    fine = _document("shop-qa", {"PasswordPolicy.MinimumLength": 9})
    same = _document("shop-dev", {"PasswordPolicy.MinimumLength": 8})
    unreadable = TargetFailure(
        "shop-eu",
        _target("shop-eu"),
        FailureKind.ACCESS,
        "the credentials lack a permission",
        "amplifybackend:GetBackendAuth was denied",
        "ask for a role that has it",
    )
    incomplete = TargetFailure(
        "shop-us",
        _target("shop-us"),
        FailureKind.INPUT,
        "the document lacks what its change needs",
        diagnostics=(LACK,),
    )
    imported = Meta((), imported=True, hosted_domain=None, unseen=("Lambda triggers",), auth={})
    return Plan(
        (
            _planned(blocked, _live(), imported),
            _planned(guarded, _live()),
            _planned(allowed, _live()),
            _planned(fine, _live()),
            _planned(same, _live()),
            unreadable,
            incomplete,
        ),
        WHEN,
    )


def _same() -> Plan:
    names = ("shop-prod", "shop-test")
    settings: Settings = {"PasswordPolicy.MinimumLength": 8, "OAuth.OAuthScopes": ["OPENID", "EMAIL"]}
    return Plan(tuple(_planned(_document(name, settings), _live()) for name in names), WHEN)


def _drift() -> Plan:
    drifted = _document("shop-prod", {"PasswordPolicy.MinimumLength": 12, "SignInMethod": "USERNAME"})
    failure = TargetFailure("shop-eu", _target("shop-eu"), FailureKind.READ, "the read timed out")
    return Plan((_planned(drifted, _live()), *_same().planned[1:], failure), WHEN)


def _moved() -> Plan:
    """Each way in which git and live can have moved since a base, and what nobody knows of another target."""
    then: Settings = {
        "PasswordPolicy.MinimumLength": 9,
        "PasswordPolicy.AdditionalConstraints": ["REQUIRE_DIGIT", "REQUIRE_UPPERCASE"],
        "OAuth.OAuthScopes": ["EMAIL", "OPENID"],
        "OAuth.RedirectSignOutURIs": ["https://shop.example.com/"],
        "Mfa.MFAMode": "OFF",
        "UserPoolName": "shop",
    }
    now: Settings = {
        "PasswordPolicy.MinimumLength": 12,  # conflict
        "PasswordPolicy.AdditionalConstraints": ["REQUIRE_DIGIT", "REQUIRE_UPPERCASE"],  # drift
        "OAuth.OAuthScopes": ["EMAIL", "OPENID", "PROFILE"],  # pending
        "Mfa.MFAMode": "OPTIONAL",  # converged
        "UserPoolName": "store",  # blocked
    }
    oauth = {**_live()["UserPoolConfigs"]["OAuth"], "SocialProviderSettings": {}}
    known = _planned(_document("shop-prod", now), _live(OAuth=oauth), base=_document("shop-prod", then))
    unknown = replace(
        _planned(_document("shop-eu", {"PasswordPolicy.MinimumLength": 9}), _live(OAuth=oauth)),
        warnings=(Finding("no-base", "main~1 can't tell what it was", hint="apply it once"),),
    )
    return Plan((known, unknown), WHEN, base="main~1")


def _waived() -> Plan:
    """A waiver that holds, one whose value live has left, and a target of which all is waived."""
    origin = Origin("reconciler.yaml", 3, 5)
    length = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
    member = ("UserPoolConfigs", "OAuth", "OAuthScopes", "PROFILE")
    last = datetime.fromisoformat(WHEN).date()
    length_holds = Waiver(length, 8, 12, "ada@example.com", "incident 4711", last, origin)
    member_holds = Waiver(member, None, True, "ada@example.com", "the beta", last, origin)
    oauth = {**_live()["UserPoolConfigs"]["OAuth"], "SocialProviderSettings": {}}
    in_part = _document(
        "shop-prod", {"PasswordPolicy.MinimumLength": 12, "OAuth.OAuthScopes": ["EMAIL", "OPENID", "PROFILE"]}
    )
    whole = _document("shop-test", {"PasswordPolicy.MinimumLength": 12})
    return Plan(
        (
            _planned(replace(in_part, waivers=(replace(length_holds, value=7), member_holds)), _live(OAuth=oauth)),
            _planned(replace(whole, waivers=(length_holds,)), _live(OAuth=oauth)),
        ),
        WHEN,
    )


LACK = Diagnostic(
    Severity.ERROR,
    "missing-in-request",
    "UserPoolConfigs.Mfa.Settings.MfaTypes is missing",
    "MFA that is ON or OPTIONAL needs it; live does not have it and the document does not write it",
    "write at least one of SMS and TOTP",
    Origin("auth/shop-us.yaml", 9, 7),
    target="shop-us",
)


def _outcomes(plan: Plan) -> tuple[Outcome, ...]:
    """One outcome of each kind."""
    changes = plan.planned[0].changes
    findings = (
        Finding("missing", "UserPoolConfigs.Mfa.MFAMode kept its old value", "planned ON\nstands OPTIONAL", "look"),
        Finding("moved", "UserPoolConfigs.OAuth.OAuthScopes moved", origin=Origin("auth/shop-prod.yaml", 9, 3)),
    )
    told = {
        OutcomeKind.FAILED: ("the job failed", "Reason: InvalidParameter\nat step 2", "live is as it was before"),
        OutcomeKind.TIMED_OUT: ("the job had not ended after 1800s", "", "look at it with: aws amplifybackend"),
        OutcomeKind.SKIPPED: ("nothing was sent", "", ""),
        OutcomeKind.UNVERIFIED: ("the job completed, and what stands is not what was planned", "", ""),
    }

    moved = _document("shop-unverified", {"PasswordPolicy.MinimumLength": 20, "OAuth.OAuthScopes": ["OPENID"]})
    collateral = _planned(moved, _live())

    def outcome(kind: OutcomeKind) -> Outcome:
        name = f"shop-{kind.value.replace(' ', '-')}"
        summary, detail, hint = told.get(kind, ("", "", ""))
        return Outcome(
            name,
            _target(name),
            kind,
            summary,
            detail,
            hint,
            job="d8a2f3c1" if kind in {OutcomeKind.APPLIED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT} else None,
            changes=changes if kind is OutcomeKind.APPLIED else (),
            findings=findings if kind is OutcomeKind.UNVERIFIED else (),
            collateral=replace(collateral, unchanged=0, unmanaged=0) if kind is OutcomeKind.UNVERIFIED else None,
        )

    return tuple(outcome(kind) for kind in OutcomeKind)


DIAGNOSTICS = (
    LACK,
    Diagnostic(
        Severity.ERROR,
        "unknown-key",
        "A key is unknown",
        "Minimumlength is no member of PasswordPolicy.",
        "write MinimumLength",
        Origin("auth/shop.yaml", 12, 8),
        "\t  \u7530: {Minimumlength: 8} # @all | `x`",
    ),
    Diagnostic(
        Severity.ERROR, "plaintext-secret", "A secret is in clear", "", "", Origin("a.yaml", 3, 80), "Secret: ****"
    ),
    Diagnostic(Severity.WARNING, "no-targets", "There is nothing to do", hint="write a document"),
)

PLANS: Mapping[str, tuple[Plan, Headline]] = {
    "change": (_change(), "plan"),
    "hostile": (_hostile(), "plan"),
    "refused": (_refused(), "plan"),
    "same": (_same(), "plan"),
    "drift": (_drift(), "drift"),
    "moved": (_moved(), "plan"),
    "moved.drift": (_moved(), "drift"),
    "waived": (_waived(), "drift"),
}


def _readable(line: str) -> str:
    return json.dumps(json.loads(line), indent=2) + "\n"


def _content(page: str) -> str:
    """Leave out of a page its style, its script and their hashes, which are files of their own."""
    return page[page.index("<body>") : page.index("<script>")]


@pytest.mark.parametrize("case", PLANS)
def test_a_plan_is_shown_as_recorded(case: str, golden: Golden) -> None:
    plan, headline = PLANS[case]
    report = plan_report(plan, headline=headline)
    golden(f"{case}.txt", plan_text(report, colour=False))
    golden(f"{case}.md", plan_markdown(replace(report, digest=DIGEST) if headline == "plan" else report))
    golden(f"{case}.html", _content(plan_html(report)))
    golden(f"{case}.json", _readable(plan_json(plan, VERSION)))
    golden(f"{case}.junit.xml", plan_junit(report))
    golden(f"{case}.sarif", _readable(plan_sarif(report, VERSION)))
    golden(f"{case}.ndjson", plan_ndjson(report, WHEN))
    golden(f"{case}.annotations.txt", plan_annotations(report))


def test_a_plan_in_colour_is_shown_as_recorded(golden: Golden) -> None:
    golden("refused.colour.txt", plan_text(plan_report(PLANS["refused"][0]), colour=True))


def test_outcomes_are_shown_as_recorded(golden: Golden) -> None:
    outcomes = _outcomes(PLANS["change"][0])
    report = outcome_report(outcomes, PLANS["change"][0])
    golden("outcomes.txt", outcome_text(report, colour=False))
    golden("outcomes.md", outcome_markdown(report))
    golden("outcomes.html", _content(outcome_html(report)))
    golden("outcomes.json", _readable(outcome_json(outcomes, VERSION)))
    golden("outcomes.junit.xml", outcome_junit(report))
    golden("outcomes.sarif", _readable(outcome_sarif(report, VERSION)))
    golden("outcomes.ndjson", outcome_ndjson(report, WHEN))
    golden("outcomes.annotations.txt", outcome_annotations(report))


def test_diagnostics_are_shown_as_recorded(golden: Golden) -> None:
    golden("diagnostics.txt", diagnostics_text(DIAGNOSTICS, colour=False))
    golden("diagnostics.md", diagnostics_markdown(DIAGNOSTICS))
    golden("diagnostics.html", _content(diagnostics_html(DIAGNOSTICS)))
    golden("diagnostics.json", _readable(diagnostics_json(DIAGNOSTICS)))
    golden("diagnostics.junit.xml", diagnostics_junit(DIAGNOSTICS))
    golden("diagnostics.sarif", _readable(diagnostics_sarif(DIAGNOSTICS, VERSION)))
    golden("diagnostics.ndjson", diagnostics_ndjson(DIAGNOSTICS, WHEN))
    golden("diagnostics.annotations.txt", diagnostics_annotations(DIAGNOSTICS))
