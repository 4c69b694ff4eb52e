"""The command that tells which permissions a run needs: iam-policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.console import write_error, write_result
from reconciler.cli.options import (
    Choice,
    Excludes,
    Labels,
    LedgerPlace,
    Paths,
    Reach,
    Show,
    Strict,
    Targets,
    WithoutSecrets,
)
from reconciler.cli.run import checked, start
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.permissions import Needs

_LARGEST_POLICY = 6144
"""The characters, white space apart, that IAM takes in a managed policy."""


def iam_policy(
    paths: Paths,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="For whoever only plans: no update, and no write to the ledger.")
    ] = False,
    role: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="What this role of the documents needs, instead of whoever starts the run."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="The region of documents that name none.")] = None,
    profile: Annotated[str | None, typer.Option(help="The profile of documents that name none.")] = None,
    target: Targets = None,
    exclude: Excludes = None,
    label: Labels = None,
    ledger: LedgerPlace = None,
    without_secrets: WithoutSecrets = False,
    strict: Strict = False,
) -> None:
    """Print the least IAM policy that a run of these documents needs. No network, no credentials."""
    from reconciler.core.permissions import statements
    from reconciler.render.permissions import policy_json

    run = start(Reach(region=region, profile=profile), Show(), first_path=paths[0], ledger=ledger)
    loaded = checked(run, paths, Choice(target, exclude, label), strict=strict, network=True)
    needs = run.services.needs(loaded.desired, secrets=not without_secrets)
    if role is not None and role not in needs.roles:
        known = ", ".join(needs.roles) or "none"
        raise UsageProblem(f"No target and no reference assumes {role}", hint=f"the roles are: {known}")
    policy = policy_json(statements(needs, role=role, read_only=read_only))
    for note in _notes(needs, role, policy):
        write_error(f"Note: {note}\n")
    write_result(policy)


def _notes(needs: Needs, role: str | None, policy: str) -> Iterator[str]:
    """What a policy can't say."""
    if role is None:
        for assumed in needs.roles:
            yield f"what {assumed} needs is another policy: give --role {assumed}"
        if len(needs.profiles) > 1:
            yield f"{len(needs.profiles)} profiles share this policy: choose one's targets with --target or --label"
    if any(fetch.source.access.role_arn == role for fetch in needs.fetches):
        yield "where a key of your own encrypts a parameter or secret, kms:Decrypt on that key is needed too"
    if len("".join(policy.split())) > _LARGEST_POLICY:
        yield f"a managed policy has at most {_LARGEST_POLICY} characters: split it with --target or --label"
