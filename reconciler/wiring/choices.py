"""What a command was told: how to reach the service, which targets are meant, and which guards may pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from fnmatch import fnmatchcase

from reconciler.core.model import Desired
from reconciler.errors import UsageProblem

_MOST_NAMED = 20


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
    """Which targets of the documents are meant, by globs of names and labels, and which guards may pass.

    A target is meant when one of ``targets`` fits, or there are none, none of ``excludes`` does, and it has all labels.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def means(self, desired: Desired) -> bool:
        """Whether a target is meant."""
        return (
            (not self.targets or _matches(desired.name, self.targets))
            and not _matches(desired.name, self.excludes)
            and all(_has(desired, label) for label in self.labels)
        )


def guards(allow: Sequence[str]) -> frozenset[str]:
    """The guards that ``--allow`` names, each ``CODE``, or ``CODE:PATH`` where it stands at paths.

    Raises:
        UsageProblem: it names something else.
    """
    if not allow:
        return frozenset()
    from reconciler.core.fields import PLACES
    from reconciler.core.guards import GUARDS, WITH_PATHS

    named = {code: code.partition(":") for code in allow}
    unknown = sorted(
        code for code, (guard, colon, _) in named.items() if guard not in (WITH_PATHS if colon else GUARDS)
    )
    if unknown:
        raise UsageProblem(
            f"--allow does not know {', '.join(unknown)}", hint=f"the guards are {', '.join(sorted(GUARDS))}"
        )
    for code, (_, colon, path) in named.items():
        if colon and path not in PLACES:
            raise UsageProblem(f"--allow {code} names no path of a document", hint=_alike(path, PLACES))
    return frozenset(allow)


def selected(desired: Sequence[Desired], selection: Selection, *, whole: bool) -> tuple[Desired, ...]:
    """The chosen targets with the allowed guards; a pattern that matches nothing is a slip of the pen."""
    names = [document.name for document in desired]
    for pattern in (*selection.targets, *selection.excludes):
        if whole and not any(fnmatchcase(name, pattern) for name in names):
            raise UsageProblem(f"No target is named {pattern}", hint=_alike(pattern, names))
    for key, pattern in selection.labels:
        if whole and not any(_has(document, (key, pattern)) for document in desired):
            found = sorted({f"{name}={value}" for document in desired for name, value in document.labels.items()})
            raise UsageProblem(f"No target has the label {key}={pattern}", hint=_alike(f"{key}={pattern}", found))
    allowed = frozenset(selection.allow)
    chosen = tuple(
        replace(document, allow=document.allow | allowed) for document in desired if selection.means(document)
    )
    if whole and desired and not chosen:
        given = [*selection.targets, *(f"{key}={value}" for key, value in selection.labels)]
        given += [f"not {pattern}" for pattern in selection.excludes]
        raise UsageProblem(
            "No target is left to work on", detail=f"asked for: {', '.join(given)}", hint=f"there are: {_some(names)}"
        )
    return chosen


def _alike(written: str, known: Sequence[str]) -> str:
    """What was meant, or the first of what there is; a list in one option is several options."""
    if "," in written:
        return "give the option once for each"
    meant = get_close_matches(written, known, n=1, cutoff=0.8)
    return f"did you mean {meant[0]}?" if meant else f"there are: {_some(known)}"


def _some(names: Sequence[str]) -> str:
    """The first of what there is."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more or "none"


def _has(desired: Desired, label: tuple[str, str]) -> bool:
    key, pattern = label
    return key in desired.labels and fnmatchcase(desired.labels[key], pattern)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
