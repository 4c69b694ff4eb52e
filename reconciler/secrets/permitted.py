"""Which reference may stand where, whatever it points to.

A pull request must not be able to print the runner's environment or files into its own comment. So outside
secret fields only variables that were meant for it, and files of the project, can be referred to; and a secret may
not stand where a plan must show what it does.
"""

from __future__ import annotations

from reconciler.core.fields import Field
from reconciler.core.model import dotted
from reconciler.core.references import OPEN_PREFIX, REMOTE, Reference
from reconciler.errors import Diagnostic, Origin
from reconciler.secrets.local import Local
from reconciler.secrets.problems import diagnostic


def refusal(reference: Reference, origin: Origin, row: Field | None, local: Local) -> Diagnostic | None:
    """Why a reference may not stand where it does; None where it may.

    Args:
        reference: what is written.
        origin: where.
        row: its field; None where it says which target is meant.
        local: which variables are open, and which files are the project's.
    """
    secret = row is not None and row.secret
    code = "reference-not-allowed"
    match reference.scheme:
        case "env" if not (secret or local.is_open(reference.name)):
            hint = f"outside secret fields a variable's name begins with {OPEN_PREFIX}, or env_names lists it"
        case "file" if not reference.name.isprintable():
            code, hint = "unreadable-reference", "a path has no control characters"
        case "file" if not (secret or local.is_public(reference, origin)):
            hint = "outside secret fields a file is one of the project's, and not hidden"
        case scheme if scheme in REMOTE and row is None:
            hint = "which target is meant is no secret: use ${env:" + OPEN_PREFIX + "NAME} or ${file:path}"
        case "secretsmanager" if row is not None and not row.may_hide:
            return exposed(str(reference), row, origin)
        case _:
            return None
    return diagnostic(code, str(reference), origin, hint)


def exposed(written: str, row: Field, origin: Origin) -> Diagnostic:
    """A secret where a plan must show what it does."""
    hint = "a plan must show this: use a parameter of type String, or ${env:" + OPEN_PREFIX + "NAME}"
    return diagnostic("reference-not-allowed", f"{dotted(row.path)}: {written} is a secret", origin, hint)
