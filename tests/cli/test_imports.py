"""Only the command that needs a heavy library imports it: a start takes as long as its imports."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from reconciler.cli.commands import COMMANDS
from reconciler.cli.options import Format
from tests.cli.conftest import Project

PROGRAM = """
import sys
from reconciler.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write("\\n" + " ".join(sys.modules))
raise SystemExit(code)
"""
CONVERTERS = {"pydantic"}  # newer releases of typer convert values by it
CLIENTS = {"boto3", "botocore", "reconciler.aws"}
DOCUMENTS = {"yaml", "jsonschema", "reconciler.config"}
OURS = {f"reconciler.{part}" for part in ("core", "wiring", "operations", "render", "ledger", "secrets", "emulator")}
DIFFERENCES = {"deepdiff"}
DRAWING = {"rich"}


def imported(project: Project, *arguments: str) -> set[str]:
    """The modules that one run imports, each with the packages that it is in."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    run = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    names = run.stderr.rpartition("\n")[2].split()
    return {".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2)}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_import_nothing_of_what_commands_need(project: Project, option: str) -> None:
    modules = imported(project, option)
    assert not modules & {*CONVERTERS, *CLIENTS, *DOCUMENTS, *OURS, *DIFFERENCES, *DRAWING}


def test_validate_imports_no_client(project: Project) -> None:
    modules = imported(project, "validate", "auth.yaml")
    assert modules >= DOCUMENTS
    assert not modules & {*CONVERTERS, *CLIENTS, *DIFFERENCES, *DRAWING, "reconciler.ledger"}


def test_a_plan_without_changes_imports_nothing_that_compares_or_draws(project: Project) -> None:
    project.run("emulator", "seed", "auth.yaml")
    modules = imported(project, "plan", "auth.yaml", "--emulator")
    assert modules >= CLIENTS
    assert not modules & {*CONVERTERS, *DIFFERENCES, *DRAWING}


@pytest.mark.parametrize("arguments", [("schema", "auth"), ("show", "plan.json")], ids=" ".join)
def test_what_reads_one_file_imports_neither_clients_nor_what_reads_documents(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    modules = imported(project, *arguments)
    assert not modules & {"boto3", "botocore", "yaml", "jsonschema", *DIFFERENCES, *DRAWING}


@pytest.mark.parametrize("name", [name.value for name in Format if name is not Format.TEXT])
def test_a_format_imports_no_other(project: Project, name: str) -> None:
    formats = {f"reconciler.render.{other}" for other in ("terminal", *Format)}
    assert imported(project, "validate", "auth.yaml", "--format", name) & formats == {f"reconciler.render.{name}"}


def test_a_fleet_imports_what_draws_only_on_a_terminal(project: Project) -> None:
    text = project.document.read_text(encoding="utf-8")
    for number in range(12):
        document = text.replace("name: shop-prod", f"name: shop-{number}").replace("d2k7example", f"d{number}")
        (project.folder / f"{number}.yaml").write_text(document, encoding="utf-8")
    project.document.unlink()
    project.run("emulator", "seed", ".")
    assert not imported(project, "plan", ".", "--emulator") & DRAWING


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_all_says_of_a_command_what_it_says_of_itself(project: Project, name: str) -> None:
    _, described = project.run(name, "--help").out.split("\n\n")[:2]
    first = re.match(r"(.*?\.)( |$)", " ".join(described.split()))
    assert first is not None
    assert COMMANDS[name][1] == first[1]


def test_the_commands_stand_in_the_help_of_all_in_their_order(project: Project) -> None:
    listed = project.run("--help").out.split("Commands:")[1]
    assert re.findall(r"^  (\S+)  ", listed, re.MULTILINE) == list(COMMANDS)


def test_a_slip_in_a_command_is_answered_with_the_one_that_was_meant(project: Project) -> None:
    slip = project.run("paln", "auth.yaml")
    assert slip.code == 64
    assert "Did you mean 'plan'" in slip.err


@pytest.mark.parametrize("option", ["--parallelism=none", "--parallelism=0", "--format=none", "--cli-read-timeout=-1"])
def test_what_must_be_converted_is_judged(project: Project, option: str) -> None:
    assert project.run("plan", "auth.yaml", "--emulator", option).code == 64


def test_an_argument_that_is_missing_is_missed(project: Project) -> None:
    assert project.run("plan", "--emulator").code == 64
