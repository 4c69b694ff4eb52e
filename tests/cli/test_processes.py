"""The program as a process: signals, terminals, pipes, sockets and what it imports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.emulator import Fault, Server
from tests.cli.conftest import ROOT, Project, Start
from tests.cli.terminals import on_a_terminal, shown

ENDLESS = 60


def run(project: Project, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ENDLESS,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read a process's standard error up to a text; ends with the process."""
    assert process.stderr is not None
    read = ""
    for line in process.stderr:
        read += line
        if text in line:
            break
    return read


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_during_the_wait_stops_waiting_and_says_how_to_look(
    project: Project, start: Start, number: signal.Signals, code: int
) -> None:
    project.switch("job_seconds=600")
    process = start("apply", "auth.yaml", "--emulator", "--auto-approve", "--poll-interval", "30")
    assert "Still updating..." in read_until(process, "Still updating")
    process.send_signal(number)
    out, _ = process.communicate(timeout=ENDLESS)
    assert process.returncode == code
    assert "stopped waiting: the update was sent, and its job goes on" in out
    assert "aws amplifybackend get-backend-job --app-id d2k7example" in out
    assert "--endpoint-url" not in out, "the embedded backend has no address until it is served"
    assert project.updates() == 1


def test_ctrl_c_while_planning_ends_at_once_and_sends_nothing(project: Project, start: Start, server: Server) -> None:
    project.emulator.inject([Fault("slow", operation="GetBackendAuth", times=0, seconds=600)])
    process = start("plan", "auth.yaml", "--endpoint-url", server.url)
    read_until(process, "Reading live")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=ENDLESS)
    assert process.returncode == 130
    assert "1 target was not read, because the run was interrupted: shop-prod" in out
    assert "Traceback" not in err


@pytest.mark.parametrize(("answer", "code", "updates"), [("yes", 0, 1), ("y", 4, 0), ("", 4, 0)])
def test_only_yes_is_taken_for_a_yes(project: Project, answer: str, code: int, updates: int) -> None:
    with on_a_terminal(project, "apply", "auth.yaml", "--emulator", "--poll-interval", "0") as (process, terminal):
        assert "Plan: 0 to add, 1 to change, 0 to destroy." in shown(terminal, until="Enter a value: ")
        os.write(terminal, f"{answer}\n".encode())
        shown(terminal)
        assert process.wait(ENDLESS) == code
    assert project.updates() == updates


def test_colours_are_for_terminals_that_want_them(project: Project) -> None:
    green = "\x1b[32m"
    with on_a_terminal(project, "plan", "auth.yaml", "--emulator") as (_, terminal):
        assert green in shown(terminal)
    with on_a_terminal(project, "plan", "auth.yaml", "--emulator", "--no-color") as (_, terminal):
        assert "\x1b[" not in shown(terminal)
    assert "\x1b[" not in run(project, "plan", "auth.yaml", "--emulator").stdout


def test_a_pipe_that_closes_early_ends_without_a_traceback(project: Project) -> None:
    command = f"{sys.executable} -m reconciler schema auth | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        ["bash", "-c", command], cwd=project.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.stdout == "{\n"
    assert result.stderr == ""


def test_a_document_can_come_from_standard_input(project: Project) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "reconciler", "plan", "-", "--emulator", "--detailed-exitcode"],
        input=project.document.read_text(encoding="utf-8"),
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "shop-prod will be updated in-place" in result.stdout


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_plan_and_drift_send_nothing_but_reads(project: Project, command: str) -> None:
    """The socket is watched by a proxy of our own, so that nothing of the program can hide a request."""
    seen: list[tuple[str, str]] = []

    class Watch(BaseHTTPRequestHandler):
        """Notes each request and lets the backend answer it."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path))
            answer = project.emulator.handle(self.command, self.path, dict(self.headers), body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "content-length" not in {name.lower() for name in answer.headers}:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Watch) as watch:
        threading.Thread(target=watch.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{watch.server_address[1]}"
        result = run(
            project,
            command,
            "auth.yaml",
            "--endpoint-url",
            url,
            AWS_ACCESS_KEY_ID="000000000000",
            AWS_SECRET_ACCESS_KEY="emulator",
        )
        watch.shutdown()
    assert "MinimumLength = 8 -> 12" in result.stdout
    assert seen == [
        ("POST", "/backend/d2k7example/auth/prod/details"),
        ("POST", "/backend/d2k7example/details"),
    ]


def test_a_body_that_trickles_in_is_given_up(project: Project, server: Server) -> None:
    project.emulator.inject([Fault("slow", operation="GetBackendAuth", times=0, seconds=600)])
    options = ("--cli-read-timeout", "0.4", "--cli-connect-timeout", "0.1")
    began = time.monotonic()
    result = run(project, "drift", "auth.yaml", "--endpoint-url", server.url, *options)
    assert result.returncode == 1
    assert "GetBackendAuth failed" in result.stdout
    assert time.monotonic() - began < ENDLESS


def test_the_embedded_backend_is_served_with_the_variables_that_clients_need(project: Project, start: Start) -> None:
    server = start("emulator", "--port", "0", "--switch", "secrets=masked")
    assert server.stdout is not None
    lines = [server.stdout.readline() for _ in range(7)]
    assert lines[1] == "# It serves .reconciler/emulator/state.sqlite, as --emulator does in the same project.\n"
    variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines if line.startswith("export"))
    assert set(variables) == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_AMPLIFYBACKEND",
    }
    result = run(project, "plan", "auth.yaml", "--detailed-exitcode", **variables)
    assert result.returncode == 2
    assert project.emulator.switches.secrets == "masked"
    server.send_signal(signal.SIGINT)
    assert server.wait(ENDLESS) == 0


def test_targets_are_completed_from_the_documents(project: Project) -> None:
    words = "reconciler plan auth.yaml --target s"
    result = run(project, _RECONCILER_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="4")
    assert result.stdout.strip() == "shop-prod"


def test_the_state_folder_ignores_itself_in_git(project: Project) -> None:
    run(project, "plan", "auth.yaml", "--emulator")
    subprocess.run(["git", "init", "--quiet", "."], cwd=project.folder, check=True)
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project.folder, check=True, capture_output=True, text=True
    )
    assert status.stdout == "?? auth.yaml\n"
    assert (Path(project.folder) / ".reconciler" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_named_state_folder_hides_nothing_of_what_was_in_it_from_git(project: Project) -> None:
    (project.folder / "auth").mkdir()
    (project.folder / "auth.yaml").rename(project.folder / "auth" / "auth.yaml")
    run(project, "plan", "auth", "--emulator", "--state-dir", "auth")
    assert not (project.folder / "auth" / ".gitignore").exists()
    run(project, "plan", "auth", "--emulator", "--state-dir", "kept")
    assert (project.folder / "kept" / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize("format_", ["text", "ndjson"])
def test_nothing_is_sent_while_standard_output_is_closed_or_full(project: Project, format_: str) -> None:
    apply = f"{sys.executable} -m reconciler apply auth.yaml --emulator --auto-approve --format {format_}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for redirected in (">&-", ">/dev/full"):
        result = subprocess.run(
            ["bash", "-c", f"{apply} {redirected}"],
            cwd=project.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1
        assert "Error: standard output" in result.stderr
        assert "Traceback" not in result.stderr
    assert project.updates() == 0


def test_a_wrong_command_line_keeps_its_code_where_standard_error_is_full(project: Project) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "reconciler", "apply", "--nonsense"]
        for buffered in ("", "1"):
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": buffered}
            done = subprocess.run(command, cwd=project.folder, stderr=full, check=False, env=environment)
            assert done.returncode == 64


@pytest.mark.parametrize("moment", [0.02, 0.1, 0.25])
def test_ctrl_c_at_any_moment_ends_without_a_traceback(start: Start, moment: float) -> None:
    process = start("validate", "auth.yaml")
    threading.Event().wait(moment)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=ENDLESS)
    # While Python loads the package itself nothing of ours can listen yet.
    assert set(re.findall(r'reconciler/([\w/]+\.py)"', err)) <= {"__init__.py", "version.py"}
