"""What render prints, what it refuses to print, and that its output is as good as its input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Project

CANARY = "canary-8d1f0c2b7a"
POOL = "ResourceConfig:\n  UserPoolConfigs:\n    "
GOOGLE = """\
OAuth:
      SocialProviderSettings:
        Google:
          ClientId: google
          ClientSecret: "${env:GOOGLE}"
"""
HEAD = "AppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shopauth\n"


def feed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def changes(project: Project, *arguments: str) -> Any:
    """What a plan would change, whatever place it comes from."""
    (change,) = json.loads(project.run("plan", "--emulator", "--format", "json", *arguments).out)["resource_changes"]
    assert change["change"]["actions"] == ["update"]
    return change["change"]


def layered(project: Project) -> None:
    """The example, over a base, and a second target in the same file."""
    (project.folder / "base.yaml").write_text(f"region: us-east-1\n{POOL}{GOOGLE}", encoding="utf-8")
    text = f"extends: base.yaml\n{project.document.read_text(encoding='utf-8')}"
    other = f"---\nextends: base.yaml\nname: shop-dev\n{HEAD.replace('prod', 'dev')}"
    project.document.write_text(text + other, encoding="utf-8")


def test_each_target_is_a_document_in_the_order_of_the_input(project: Project) -> None:
    layered(project)
    result = project.run("render", "auth.yaml")
    assert (result.code, result.err) == (0, "")
    first, second = result.out.split("---\n")
    assert first.startswith("name: shop-prod\nregion: us-east-1\nAppId: d2k7example\n")
    assert "      MinimumLength: 12\n" in first
    assert '          ClientSecret: "${env:GOOGLE}"\n' in first
    assert second.startswith("name: shop-dev\nregion: us-east-1\n")
    assert "extends" not in result.out


def test_origins_are_told_on_demand(project: Project) -> None:
    layered(project)
    plain, told = project.run("render", "."), project.run("render", ".", "--origins")
    assert "#" not in plain.out.replace("{####}", "")
    assert '          ClientSecret: "${env:GOOGLE}"  # base.yaml:8\n' in told.out
    assert "MinimumLength: 12  # auth.yaml:" in told.out


@pytest.mark.parametrize("origins", [(), ("--origins",)])
def test_what_is_rendered_is_valid_and_plans_the_same(
    project: Project, origins: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    layered(project)
    monkeypatch.setenv("GOOGLE", "x")
    planned = changes(project, "auth.yaml", "--target", "shop-prod")
    rendered = project.run("render", "auth.yaml", "--exclude", "*-dev", *origins).out
    feed(rendered, monkeypatch)
    assert project.run("validate", "-").code == 0
    feed(rendered, monkeypatch)
    assert changes(project, "-") == planned
    feed(rendered, monkeypatch)
    assert project.run("render", "-").out == project.run("render", "auth.yaml", "--target", "shop-prod").out


def test_a_document_can_come_from_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(project.document.read_text(encoding="utf-8"), monkeypatch)
    assert "      MinimumLength: 12  # <stdin>:" in project.run("render", "-", "--origins").out


def test_only_what_is_asked_for_is_printed(project: Project) -> None:
    layered(project)
    assert "shop-prod" not in project.run("render", "auth.yaml", "--target", "*-dev").out
    nothing = project.run("render", "auth.yaml", "--target", "nobody")
    assert (nothing.code, nothing.out) == (64, "")


def test_an_error_is_shown_as_validate_shows_it_and_nothing_is_printed(project: Project) -> None:
    layered(project)
    (project.folder / "z.yaml").write_text(f"{HEAD}region: nowhere\n", encoding="utf-8")
    result = project.run("render", ".", "--target", "shop-dev")
    assert (result.code, result.out) == (1, "")
    assert result.err == project.run("validate", ".").out
    assert "on z.yaml line 4, column 9 (bad-pattern)" in result.err


def test_a_reference_that_may_not_stand_where_it_does_is_an_error_here_too(project: Project) -> None:
    project.edit("DomainPrefix: shop-signin", "DomainPrefix: ${env:HOME}")
    result = project.run("render", "auth.yaml")
    assert (result.code, result.out) == (1, "")
    assert "reference-not-allowed" in result.err


def test_warnings_are_told_beside_the_result_and_fail_only_when_asked_to(project: Project) -> None:
    project.edit("https://shop.example.com/callback/", "https://shop.example.com/callback")
    warned = project.run("render", "auth.yaml")
    assert warned.code == 0
    assert "redirect-trailing-slash" in warned.err
    assert warned.out.startswith("name: shop-prod\n")
    refused = project.run("render", "auth.yaml", "--strict")
    assert (refused.code, refused.out) == (1, "")


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (f"ClientSecret: {CANARY}", "plaintext-secret"),
        (f'ClientSecret: "${{env:X:-{CANARY}}}"', "plaintext-secret"),
        (f'ClientSecret: "${{env:X}}{CANARY}"', "plaintext-secret"),
        (f'ClientSecret: "$${{{CANARY}}}"', "plaintext-secret"),
        (f'ClientSecret: "${{{CANARY}}}"', "bad-reference"),
        (f"ClientSecret: [{CANARY}]", "wrong-type"),
        (f"ClientSecret: {{value: {CANARY}}}", "wrong-type"),
        (f"CLientSecret: {CANARY}", "unknown-key"),
        (f"Client_Secert: {CANARY}", "unknown-key"),
        (f"ClientSecret: |\n            {CANARY}", "plaintext-secret"),
    ],
)
@pytest.mark.parametrize("above", ["", "OAuth: null", "OAuth: {DomainPrefix: shop}", GOOGLE, None])
def test_there_is_no_way_to_print_a_secret(project: Project, member: str, code: str, above: str | None) -> None:
    secret = GOOGLE.replace('ClientSecret: "${env:GOOGLE}"', member)
    # In the base, whatever is laid over it, or in the document itself.
    below, above = (GOOGLE, secret) if above is None else (secret, above)
    (project.folder / "base.yaml").write_text(POOL + below, encoding="utf-8")
    project.document.write_text(f"extends: base.yaml\n{HEAD}{POOL}{above or 'SignInMethod: EMAIL'}\n", encoding="utf-8")
    for origins in ((), ("--origins",)):
        result = project.run("render", "auth.yaml", *origins)
        assert (result.code, result.out) == (1, "")
        assert code in result.err
        assert CANARY not in result.err


def test_a_secret_that_is_not_managed_is_still_a_secret(project: Project) -> None:
    (project.folder / "base.yaml").write_text(POOL + GOOGLE.replace('"${env:GOOGLE}"', CANARY), encoding="utf-8")
    unmanaged = "unmanaged: [UserPoolConfigs.OAuth]\n"
    project.document.write_text(f"extends: base.yaml\n{unmanaged}{HEAD}", encoding="utf-8")
    result = project.run("render", "auth.yaml")
    assert (result.code, result.out) == (1, "")
    assert CANARY not in result.err


def test_one_document_with_a_secret_holds_all_of_them_back(project: Project) -> None:
    secret = GOOGLE.replace('"${env:GOOGLE}"', CANARY)
    other = f"{HEAD.replace('prod', 'dev')}region: us-east-1\n{POOL}{secret}"
    (project.folder / "z.yaml").write_text(other, encoding="utf-8")
    result = project.run("render", ".", "--target", "shop-prod")
    assert (result.code, result.out) == (1, "")
    assert CANARY not in result.err


def test_nothing_is_resolved(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    layered(project)
    project.edit("DomainPrefix: shop-signin", "DomainPrefix: ${env:RECONCILER_VAR_PREFIX:-shop}")
    monkeypatch.setenv("GOOGLE", CANARY)
    monkeypatch.setenv("RECONCILER_VAR_PREFIX", CANARY)
    result = project.run("render", ".", "--origins")
    assert CANARY not in result.out
    assert 'DomainPrefix: "${env:RECONCILER_VAR_PREFIX:-shop}"' in result.out
    assert not (Path(".reconciler") / "ledger").exists()
