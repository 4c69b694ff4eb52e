"""What a command was told: how to reach the service, which targets are meant, and which guards may pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase

from reconciler.core.model import Desired
from reconciler.core.policy import GUARDS
from reconciler.errors import UsageProblem


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the service; timeouts in seconds."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    read_timeout: float = 60
    connect_timeout: float = 60
    emulator: bool = False
    state_dir: str | None = None
    ledger: str | None = None


class Follow(Enum):
    """Which references of documents are followed; those that say which target is meant always are."""

    ALL = "all"
    NO_SECRETS = "no secrets"  # neither those in secret fields nor those to Secrets Manager in free text
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which targets of the documents are meant, and which guards may pass."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


def guards(allow: Sequence[str]) -> frozenset[str]:
    """The guards that ``--allow`` names.

    Raises:
        UsageProblem: it names something else.
    """
    unknown = sorted(set(allow) - set(GUARDS))
    if unknown:
        raise UsageProblem(
            f"--allow does not know {', '.join(unknown)}", hint=f"the guards are {', '.join(sorted(GUARDS))}"
        )
    return frozenset(allow)


def selected(desired: Sequence[Desired], selection: Selection, *, whole: bool) -> tuple[Desired, ...]:
    """The chosen targets with the allowed guards; a pattern that matches nothing is a slip of the pen."""
    names = [document.name for document in desired]
    for pattern in (*selection.targets, *selection.excludes):
        if whole and not any(fnmatchcase(name, pattern) for name in names):
            raise UsageProblem(f"No target is named {pattern}", hint=f"there are: {', '.join(names) or 'none'}")
    allowed = frozenset(selection.allow)
    chosen = tuple(
        replace(document, allow=document.allow | allowed)
        for document in desired
        if (not selection.targets or _matches(document.name, selection.targets))
        and not _matches(document.name, selection.excludes)
    )
    if whole and desired and not chosen:
        raise UsageProblem("No target is left to work on", hint=f"there are: {', '.join(names)}")
    return chosen


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
