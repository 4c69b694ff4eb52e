"""What people use instead, as commands."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.fleet import ENVIRONMENT, EXAMPLE, RESOURCE, ROOT, app_of
from benchmarks.measure import run
from tests.programs import executable

# Reads each target's auth and holds it against the file that git would have.
_PIPELINE = """
xargs -P "$1" -I APP sh -c '
  "$0" amplifybackend get-backend-auth --app-id APP --backend-environment-name "$1" --resource-name "$2" \
    --query ResourceConfig --output json | diff "$3/APP.json" -
' "$2" "$3" "$4" "$5" <"$5/apps"
"""


def import_typer() -> list[str]:
    """The least that a command of the same environment can take which has typer's help."""
    return [sys.executable, "-c", "import typer"]


def check_jsonschema() -> list[str]:
    """The JSON Schema checker, on the example and the published schema."""
    checker = _installed("check-jsonschema", "check-jsonschema")
    return [checker, "--schemafile", str(ROOT / "schemas" / "auth.schema.json"), str(EXAMPLE)]


def aws_read(app: str) -> list[str]:
    """The AWS CLI's read of one target's auth."""
    named = ["--app-id", app, "--backend-environment-name", ENVIRONMENT, "--resource-name", RESOURCE]
    return [_aws(), "amplifybackend", "get-backend-auth", *named, "--output", "json"]


def aws_pipeline(folder: Path, count: int, parallelism: int, environment: Mapping[str, str]) -> list[str]:
    """The AWS CLI in ``xargs -P`` with ``diff``; a file for each target says what is expected of it.

    Args:
        folder: where these files are; made here.
        count: how many targets of the fleet are read.
        parallelism: how many at once.
        environment: reaches the service.
    """
    folder.mkdir()
    apps = [app_of(number) for number in range(count)]
    (folder / "apps").write_text("".join(f"{app}\n" for app in apps), encoding="utf-8")
    expected = run([*aws_read(apps[0]), "--query", "ResourceConfig"], environment).output
    for app in apps:
        (folder / f"{app}.json").write_text(expected, encoding="utf-8")
    return ["sh", "-c", _PIPELINE, "sh", str(parallelism), _aws(), ENVIRONMENT, RESOURCE, str(folder)]


def _aws() -> str:
    return _installed("aws", "awscli")


@functools.cache
def _installed(name: str, package: str) -> str:
    """The path of a program; in an environment of its own, as both pin what we use too."""
    return str(executable(name, package=package))
