"""The options that commands share, in groups; a command takes a group as one parameter."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from reconciler.cli.complete import target_names
from reconciler.core.fields import SECRETS
from reconciler.core.model import Path, dotted
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.wiring import Selection


class Format(StrEnum):
    """How a result is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"
    NDJSON = "ndjson"
    ANNOTATIONS = "annotations"


Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATH...", help="Auth documents: files, folders, quoted globs, or - for standard input."),
]

PathsOrNone = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH...", help="Auth documents, or one saved plan.", show_default=False),
]

Allow = Annotated[
    list[str] | None,
    typer.Option(metavar="CODE", help="Let a guard pass; recorded in the plan (repeatable)."),
]
LedgerPlace = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="PLACE",
        help="Where applies are recorded: a folder, or s3://bucket/prefix; also $RECONCILER_LEDGER.",
    ),
]
BaseName = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="REF",
        help="Tell who moved what since a commit of git, or since last-applied, as the ledger has it.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(autocompletion=target_names, help="Only targets of this name (a glob; repeatable)."),
]
Excludes = Annotated[
    list[str] | None,
    typer.Option(autocompletion=target_names, help="No targets of this name (a glob; repeatable)."),
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="Only targets with this label (a glob; all of several)."),
]
WithoutSecrets = Annotated[
    bool,
    typer.Option(
        "--without-secrets", help="Leave the references in secret fields unresolved, as where they may not be read."
    ),
]
SendSecrets = Annotated[
    list[str] | None,
    typer.Option(
        "--send-secrets",
        metavar="[=PATH]",
        help="Send secrets that nobody has proven to be the live ones: all, or those at or below PATH (repeatable).",
    ),
]
ALL_SECRETS = "all"
"""What ``--send-secrets`` without a path stands for."""


def sent_secrets(named: Sequence[str]) -> frozenset[Path]:
    """The secrets that ``--send-secrets`` names: by a path, a part of one such as ``Google``, or all of them.

    Raises:
        UsageProblem: a name has no secret.
    """
    chosen: set[Path] = set()
    for name in named:
        wanted = f".{name.lower()}."
        found = {path for path in SECRETS if name == ALL_SECRETS or wanted in f".{dotted(path).lower()}."}
        if not found:
            known = ", ".join(dotted(path[-2:]) for path in SECRETS)
            raise UsageProblem(f"--send-secrets does not know {name}", hint=f"the secrets are {known}")
        chosen |= found
    return frozenset(chosen)


def with_values(arguments: Sequence[str]) -> list[str]:
    """A command line in which every option that may stand alone has its value, so that no path is taken for one."""
    ours, rest = list(arguments), []
    if "--" in ours:
        ours, rest = ours[: ours.index("--")], ours[ours.index("--") :]
    return [f"{word}={ALL_SECRETS}" if word == "--send-secrets" else word for word in ours] + rest


MaxFailures = Annotated[
    int,
    typer.Option(
        "--max-failures", metavar="N", min=0, help="The most targets that may fail before a later wave begins."
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings about documents fail as errors do.")]


@dataclass(frozen=True, slots=True)
class Reach:
    """How the service is reached; names and meanings are the AWS CLI's."""

    region: Annotated[str | None, typer.Option(help="The region of documents that name none.")] = None
    profile: Annotated[str | None, typer.Option(help="The profile of documents that name none.")] = None
    endpoint_url: Annotated[str | None, typer.Option(help="Another endpoint, for amplifybackend alone.")] = None
    ca_bundle: Annotated[str | None, typer.Option(help="The CA certificate bundle that verifies TLS.")] = None
    cli_read_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a read of the socket.")] = 60
    cli_connect_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a connection.")] = 60
    emulator: Annotated[
        bool,
        typer.Option(
            "--emulator", envvar="RECONCILER_EMULATOR", help="Use the embedded backend: no AWS account needed."
        ),
    ] = False
    state_dir: Annotated[
        str | None,
        typer.Option(envvar="RECONCILER_STATE_DIR", help="The folder that stands in for .reconciler."),
    ] = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the documents' targets are meant, and how many at once."""

    target: Targets = None
    exclude: Excludes = None
    label: Labels = None
    parallelism: Annotated[
        int | None, typer.Option(min=1, max=64, show_default="8", help="The most targets under way at once.")
    ] = None

    def selection(self, allow: Sequence[str] | None = None) -> Selection:
        """Which targets are meant, and which guards may pass.

        Raises:
            UsageProblem: a label is no ``KEY=VALUE``.
        """
        from reconciler.wiring import Selection

        labels = tuple(label.partition("=") for label in self.label or ())
        for key, equals, value in labels:
            if not key or not equals:
                raise UsageProblem("--label takes KEY=VALUE", detail=f"{key}{equals}{value}", hint="such as team=web")
        pairs = tuple((key, value) for key, _, value in labels)
        return Selection(tuple(self.target or ()), tuple(self.exclude or ()), tuple(allow or ()), pairs)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a command that writes waits, and for what."""

    poll_interval: Annotated[
        float | None, typer.Option(min=0, show_default="10", help="Seconds between looks at a job or a result.")
    ] = None
    job_timeout: Annotated[
        float | None, typer.Option(min=0, show_default="1800", help="Seconds until a job counts as not ending.")
    ] = None
    verify_polls: Annotated[int, typer.Option(min=2, help="The most reads that prove a result.")] = 6
    wait_for_jobs: Annotated[
        bool, typer.Option("--wait-for-jobs", help="Wait for a job that another tool started, instead of refusing.")
    ] = False
    lock_timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a target that another apply holds.")
    ] = 0


@dataclass(frozen=True, slots=True)
class Show:
    """Where the result goes and what it looks like."""

    format: Annotated[Format, typer.Option(help="How the result is written to standard output.")] = Format.TEXT
    report: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT=FILE", help="Write the result to a file as well (repeatable)."),
    ] = None
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours; so does the variable NO_COLOR.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on standard error.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Our own log records and request ids on standard error.")] = (
        False
    )


_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def age_of(text: str) -> timedelta:
    """A length of time as people write it: ``90m``, ``24h``, ``7d``.

    Raises:
        UsageProblem: it is written in another way.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageProblem("--max-plan-age takes a number and s, m, h or d", detail=text, hint="for example 24h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def grouped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take groups of options as dataclasses: each field becomes an option of its own.

    Typer reads a function's signature, so this builds one in which each parameter whose type is a
    dataclass stands as its fields, and puts the dataclass together again when the command is called.
    """
    hints = get_type_hints(function, include_extras=True)
    plain: list[inspect.Parameter] = []
    groups: dict[str, tuple[Any, list[str]]] = {}
    for parameter in inspect.signature(function).parameters.values():
        kind = hints[parameter.name]
        if not is_dataclass(kind):
            plain.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        members = get_type_hints(kind, include_extras=True)
        groups[parameter.name] = (kind, [member.name for member in fields(kind)])
        plain += [
            inspect.Parameter(
                member.name, inspect.Parameter.KEYWORD_ONLY, default=member.default, annotation=members[member.name]
            )
            for member in fields(kind)
        ]

    def command(**given: Any) -> Any:
        for name, (kind, members) in groups.items():
            given[name] = kind(**{member: given.pop(member) for member in members})
        return function(**given)

    functools.update_wrapper(command, function)
    del command.__dict__["__wrapped__"]
    command.__dict__["__signature__"] = inspect.Signature(plain)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in plain}
    return command
