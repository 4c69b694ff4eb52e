"""Which permissions of IAM a run needs: the actions that it calls, on the resources that documents name.

What an action takes is from AWS's Service Authorization Reference, where ``amplifybackend`` is AWS Amplify Admin: these
actions take the types backend, environment, auth and job, whose ARNs name an app and no environment. That of a backend,
``/backend/APP/*``, is a pattern of the other three.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.model import Desired
from reconciler.core.sources import Source

_READS = ("amplifybackend:GetBackend", "amplifybackend:GetBackendAuth")
_UPDATES = ("amplifybackend:GetBackendJob", "amplifybackend:ListBackendJobs", "amplifybackend:UpdateBackendAuth")
_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
_ACCOUNT = re.compile(r"arn:[\w-]+:iam::(\d{12}):")
_PARAMETER = re.compile(r"(?P<arn>arn:[\w-]+:ssm:[\w-]+:\d{12}:parameter)?(?P<name>[^:]+)(?::.*)?")
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}\Z")
_ANY_SUFFIX = "-??????"
"""What Secrets Manager puts behind a secret's name in its ARN."""
_SPECIAL = re.compile(r"[*?$]")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a ledger is in S3; ``region`` is the one that is configured, if any."""

    name: str
    prefix: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a reference fetches, and the account that it is in as far as it is known."""

    source: Source
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run works with: its documents, what their references fetch, and the shared ledger."""

    documents: tuple[Desired, ...]
    fetches: tuple[Fetch, ...] = ()
    ledger: Bucket | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are assumed, sorted."""
        named = {desired.access.role_arn for desired in self.documents}
        named |= {fetch.source.access.role_arn for fetch in self.fetches}
        return tuple(sorted(role for role in named if role is not None))

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles that documents name, sorted; the default credentials are an empty one."""
        return tuple(sorted({desired.access.profile or "" for desired in self.documents}))


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold besides: an operator of IAM over a key and a value."""

    operator: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Actions that are allowed on resources; both sorted, each once."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition | None = None


def statements(needs: Needs, *, role: str | None = None, read_only: bool = False) -> tuple[Statement, ...]:
    """What one identity must be allowed, always in the same order.

    Args:
        needs: what the run works with.
        role: which of its roles; None for whoever starts the run, who may assume the roles and reaches the ledger.
        read_only: whether it only plans.
    """
    documents = [desired for desired in needs.documents if desired.access.role_arn == role]
    updated = [] if read_only else [desired for desired in documents if not desired.observed]
    fetches = [fetch for fetch in needs.fetches if fetch.source.access.role_arn == role]
    parameters = [_parameter(fetch) for fetch in fetches if fetch.source.service == "ssm"]
    secrets = [arn for fetch in fetches if fetch.source.service == "secretsmanager" for arn in _secret(fetch)]
    found = [
        _statement("ReadBackendAuth", _READS, map(_backend, documents)),
        _statement("UpdateBackendAuth", _UPDATES, map(_backend, updated)),
        _statement("ReadParameters", ("ssm:GetParameter",), parameters),
        _statement("ReadSecrets", ("secretsmanager:GetSecretValue",), secrets),
    ]
    if role is None:
        found.append(_statement("AssumeRoles", ("sts:AssumeRole",), needs.roles))
        found += _of_ledger(needs.ledger, read_only=read_only) if needs.ledger is not None else ()
    return tuple(statement for statement in found if statement.resources)


def _statement(
    sid: str, actions: Iterable[str], resources: Iterable[str], condition: Condition | None = None
) -> Statement:
    return Statement(sid, tuple(sorted(actions)), tuple(sorted(set(resources))), condition)


def _of_ledger(bucket: Bucket, *, read_only: bool) -> Iterator[Statement]:
    """Objects below the prefix, and their names: without those S3 answers that an object is forbidden, not absent."""
    arn = f"arn:{_partition(bucket.region or '')}:s3:::{bucket.name}"
    below = f"{_SPECIAL.sub(_escaped, bucket.prefix)}/*" if bucket.prefix else "*"
    sid, writes = ("ReadLedger", ()) if read_only else ("KeepLedger", ("s3:PutObject",))
    yield _statement(sid, ("s3:GetObject", *writes), (f"{arn}/{below}",))
    condition = Condition("StringLike", "s3:prefix", below) if bucket.prefix else None
    yield _statement("ListLedger", ("s3:ListBucket",), (arn,), condition)


def _backend(desired: Desired) -> str:
    target = desired.target
    where = f"{target.region}:{target.account or _account_of(desired.access.role_arn) or '*'}"
    return f"arn:{_partition(target.region)}:amplifybackend:{where}:/backend/{target.app}/*"


def _parameter(fetch: Fetch) -> str:
    """The ARN of a parameter; its version or label is no part of it."""
    found = _PARAMETER.fullmatch(fetch.source.name)
    arn, name = (found["arn"], found["name"]) if found else (None, fetch.source.name)
    return f"{arn or _place(fetch) + ':parameter'}/{name.removeprefix('/')}"


def _secret(fetch: Fetch) -> tuple[str, ...]:
    """The ARN of a secret, with what is put behind its name; nobody can tell whether an ARN has that already."""
    name = fetch.source.name
    if not name.startswith("arn:"):
        return (f"{_place(fetch)}:secret:{name}{_ANY_SUFFIX}",)
    return (*((name,) if _SUFFIX.search(name) else ()), f"{name}{_ANY_SUFFIX}")


def _place(fetch: Fetch) -> str:
    source = fetch.source
    account = _account_of(source.access.role_arn) or fetch.account or "*"
    return f"arn:{_partition(source.region)}:{source.service}:{source.region or '*'}:{account}"


def _account_of(role: str | None) -> str | None:
    """The account of a role."""
    found = _ACCOUNT.match(role or "")
    return found[1] if found else None


def _partition(region: str) -> str:
    return next((name for begin, name in _PARTITIONS.items() if region.startswith(f"{begin}-")), "aws")


def _escaped(found: re.Match[str]) -> str:
    """A character that means something in a policy, as itself."""
    return f"${{{found[0]}}}"
