"""A mixed fleet on the embedded backend, its page, and a real Chromium that reads it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reconciler
from reconciler.cli.main import main
from reconciler.core.model import Change, Movement, Plan, TargetPlan
from reconciler.render.html import plan_html
from reconciler.render.report import plan_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIX: Mapping[str, Mapping[str, str]] = {
    "shop-dev": {},
    "shop-prod": {
        "MinimumLength: 12": "MinimumLength: 14",
        "Your code is {####}": "Your code for the shop is {####}",
        "[EMAIL, OPENID, PROFILE]": "[EMAIL, OPENID]",
        "https://shop.example.com/callback/": "https://shop.example.com/welcome/",
    },
    "shop-staging": {"- REQUIRE_UPPERCASE": "- REQUIRE_SYMBOL"},
    "blog-prod": {"SignInMethod: EMAIL": "SignInMethod: USERNAME"},
    "admin-prod": {"MFAMode: OPTIONAL": "MFAMode: 'ON'"},
    "partner-eu": {},
}
"""The targets, and what of each document is another one than that which was put in as live."""
MOVED = {
    "MinimumLength": Movement.PENDING,
    "SmsMessage": Movement.DRIFT,
    "RedirectSignInURIs": Movement.PENDING,
    "OAuthScopes": Movement.CONFLICT,
    "AdditionalConstraints": Movement.DRIFT,
    "SignInMethod": Movement.BLOCKED,
    "MFAMode": Movement.PENDING,
}
_EXAMPLE = Path(__file__).parents[2] / "examples" / "auth.yaml"


def chromium() -> str:
    """Return the Chromium of this machine; the gate runs these tests only where there is one."""
    found = os.environ.get("RECONCILER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "these tests need Chromium: apt-get install chromium, or name one in RECONCILER_TEST_CHROMIUM"
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium."""
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", *quiet])
        yield program
        program.close()


@pytest.fixture(scope="session")
def page_of_six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a fleet of six, of which one is as desired, one blocked, one guarded, and one is not there."""
    folder = tmp_path_factory.mktemp("fleet")
    text = _EXAMPLE.read_text(encoding="utf-8")
    documents = {name: folder / f"{name}.yaml" for name in SIX}
    for name, document in documents.items():
        document.write_text(_owned(text, name), encoding="utf-8")
    there = [str(document) for name, document in documents.items() if name != "partner-eu"]
    assert main(["emulator", "seed", *there, "--state-dir", str(folder / "state")]) == 0
    for name, edits in SIX.items():
        own = documents[name].read_text(encoding="utf-8")
        for old, new in edits.items():
            assert own.count(old) == 1, old
            own = own.replace(old, new)
        documents[name].write_text(own, encoding="utf-8")
    fleet = reconciler.load(list(documents.values()), emulator=True, state_dir=str(folder / "state"))
    page = folder / "plan.html"
    page.write_text(plan_html(plan_report(_with_movements(reconciler.plan(fleet)))), encoding="utf-8")
    return page


def _owned(text: str, name: str) -> str:
    """The example as the document of another environment of another app."""
    app, _, environment = name.partition("-")
    own = {"name: shop-prod": f"name: {name}", "d2k7example": f"d2k7{app}", "Name: prod": f"Name: {environment}"}
    for old, new in own.items():
        text = text.replace(old, new)
    return text


def _with_movements(plan: Plan) -> Plan:
    """The plan as if a base had told whose change each is."""
    return replace(
        plan,
        base="origin/main",
        targets=tuple(_moved(target) if isinstance(target, TargetPlan) else target for target in plan.targets),
    )


def _moved(target: TargetPlan) -> TargetPlan:
    changes = [replace(change, movement=_movement(change)) for change in target.changes]
    return replace(target, changes=tuple(changes))


def _movement(change: Change) -> Movement:
    return next(movement for part, movement in MOVED.items() if part in change.path)
