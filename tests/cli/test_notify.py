"""Drift that tells webhooks: once, signed, and without a word about them, whatever they answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Project

CANARY = "services/T0/B0/canary"
PROJECT = """\
notify_hosts: [127.0.0.1, hooks.slack.com]
notify:
  - {format: slack, url: "${env:HOOK}"}
  - {format: json, url: "${env:HOOK}", secret: "${env:SIGNS}", template: "{names}"}
"""
DRIFT = ("drift", "auth.yaml", "--emulator", "--debug")


@pytest.fixture
def got(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Mapping[str, str], bytes]]]:
    """What arrives at the project's webhooks, which answer with 400 where nothing is said to them."""
    arrived: list[tuple[Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        """Takes everything."""

        def do_POST(self) -> None:
            arrived.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if self.path.endswith(CANARY) else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    (project.folder / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.setenv("SIGNS", "s3cret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.server_port}/{CANARY}")
        yield arrived
        server.shutdown()


def test_drift_tells_each_webhook_once(project: Project, got: list[tuple[Mapping[str, str], bytes]]) -> None:
    drift = project.run(*DRIFT)
    assert drift.code == 2
    (_, slack), (headers, other) = got
    assert "shop-prod" in json.loads(slack)["text"]
    assert json.loads(other)["text"] == "shop-prod"
    assert headers["X-Reconciler-Signature"].startswith("t=")
    assert "canary" not in drift.out + drift.err
    assert "s3cret" not in drift.out + drift.err


def test_without_drift_and_by_plan_nobody_is_told(project: Project, got: list[tuple[Mapping[str, str], bytes]]) -> None:
    assert project.run("plan", "auth.yaml", "--emulator").code == 0
    project.run("emulator", "seed", "auth.yaml")
    assert (project.run(*DRIFT).code, got) == (0, [])


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("http://127.0.0.1:9/canary", "no answer came (ConnectionRefusedError)"),
        ("https://hooks.slack.com/canary", "the embedded backend tells only this machine of its drift"),
        ("https://canary.example.com/", "its host is not in notify_hosts"),
        ("", "its url is not of the form https://host/path"),
        (None, "A reference has no value: ${env:HOOK}"),
    ],
)
def test_a_webhook_that_can_not_be_told_is_a_warning_and_no_other_exit_code(
    project: Project,
    got: list[tuple[Mapping[str, str], bytes]],
    monkeypatch: pytest.MonkeyPatch,
    hook: str | None,
    said: str,
) -> None:
    still = SimpleNamespace(sleep=lambda _seconds: None, monotonic=lambda: 0.0, time=lambda: 0.0)
    monkeypatch.setattr("reconciler.wiring.notifying.time", still)
    if hook is None:
        monkeypatch.delenv("HOOK")
    else:
        monkeypatch.setenv("HOOK", hook)
    drift = project.run(*DRIFT)
    assert (drift.code, got) == (2, [])
    assert f"Warning: slack in notify at reconciler.yaml:3:26 was not told: {said}" in drift.err
    assert "canary" not in drift.out + drift.err


def test_nothing_is_sent_that_an_empty_secret_would_sign(
    project: Project, got: list[tuple[Mapping[str, str], bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNS", " ")
    drift = project.run(*DRIFT)
    assert (drift.code, len(got)) == (2, 1)
    assert "was not told: its secret is empty" in drift.err


def test_the_policy_has_what_the_webhooks_are_fetched_from(project: Project) -> None:
    text = 'notify_hosts: [h]\nnotify: [{format: json, url: "${ssm:/hook?region=eu-west-1}"}]\n'
    Path("reconciler.yaml").write_text(text, encoding="utf-8")
    (parameters,) = [
        statement["Resource"]
        for statement in json.loads(project.run("iam-policy", "auth.yaml").out)["Statement"]
        if statement["Sid"] == "ReadParameters"
    ]
    assert parameters == ["arn:aws:ssm:eu-west-1:*:parameter/hook"]
