"""The key of the secrets' fingerprints: where it is kept, and whether it can be used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.model import Access
from reconciler.errors import Diagnostic, InputProblem, UsageProblem

if TYPE_CHECKING:
    from reconciler.config.written import Written
    from reconciler.core.proof import Key
    from reconciler.core.secret import Secret
    from reconciler.wiring.references import References

KEY_VARIABLE = "RECONCILER_LEDGER_KEY"
_MAKE_ONE = "make one with 'openssl rand -hex 32', and keep it where the pipeline's secrets are"


def usable(secret: Secret, source: str) -> Key:
    """The key that a secret is.

    Args:
        secret: its text.
        source: where it is from, as people name it.

    Raises:
        UsageProblem: it is too short.
    """
    from reconciler.core.proof import Key

    try:
        return Key(secret)
    except ValueError as problem:
        raise UsageProblem(f"{source} can't be used: {problem}", hint=_MAKE_ONE) from None


def followed(
    written: Written, kept: Sequence[Path], references: References, *, profile: str | None, region: str | None
) -> Secret:
    """The secret that the project file names, which is neither in git nor in the ledger.

    Args:
        written: the reference.
        kept: the folders of what it protects.
        references: what follows it.
        profile: with whose credentials.
        region: where it is, if it does not say so itself.

    Raises:
        UsageProblem: it is kept with what it protects, or names no region.
        InputProblem: it has no value.
    """
    from reconciler.core.references import REMOTE
    from reconciler.secrets import Way

    for reference in written.template.references:
        place = Path(os.path.realpath(Path(written.origin.file).parent / reference.name))
        if reference.scheme == "file" and any(place.is_relative_to(os.path.realpath(folder)) for folder in kept):
            raise UsageProblem(
                f"ledger_key in {written.origin} is kept with what it protects",
                detail=f"{reference} is in the project or in the ledger",
                hint="keep the key elsewhere",
            )
        if region is None and reference.scheme in REMOTE and reference.place is None:
            hint = "write it: ?region=eu-west-1 behind the name, or give --region, or set AWS_DEFAULT_REGION"
            raise UsageProblem(f"ledger_key in {written.origin} names no region", hint=hint)
    found = references.secret(written.template, written.origin, Way(Access(profile=profile), region or ""))
    if isinstance(found, Diagnostic):
        raise InputProblem((found,))
    return found
