"""AWS Amplify (Gen 1) sign-in configuration as code: plan, apply and drift for backend auth.

From Python: :func:`load` documents, :func:`plan`, :func:`apply`. What they take and give is imported from here too.
"""

from __future__ import annotations

from reconciler.version import __version__

TYPE_CHECKING = False  # as type checkers know it; a Ctrl-C while typing itself is imported would show a traceback
if TYPE_CHECKING:
    from reconciler.api import Fleet, apply, load, plan
    from reconciler.core.gateway import Gateway, ReadGateway
    from reconciler.core.model import (
        Change,
        Desired,
        Outcome,
        OutcomeKind,
        Plan,
        Target,
        TargetFailure,
        TargetPlan,
    )
    from reconciler.errors import Diagnostic, InputProblem, ReconcilerError, UsageProblem
    from reconciler.operations.fleet import Observer
    from reconciler.operations.jobs import Clock, Stopped, Waiting
    from reconciler.wiring import Selection

_HOMES = {
    "reconciler.api": ("Fleet", "apply", "load", "plan"),
    "reconciler.core.gateway": ("Gateway", "ReadGateway"),
    "reconciler.core.model": (
        "Change",
        "Desired",
        "Outcome",
        "OutcomeKind",
        "Plan",
        "Target",
        "TargetFailure",
        "TargetPlan",
    ),
    "reconciler.errors": ("Diagnostic", "InputProblem", "ReconcilerError", "UsageProblem"),
    "reconciler.operations.fleet": ("Observer",),
    "reconciler.operations.jobs": ("Clock", "Stopped", "Waiting"),
    "reconciler.wiring": ("Selection",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Change",
    "Clock",
    "Desired",
    "Diagnostic",
    "Fleet",
    "Gateway",
    "InputProblem",
    "Observer",
    "Outcome",
    "OutcomeKind",
    "Plan",
    "ReadGateway",
    "ReconcilerError",
    "Selection",
    "Stopped",
    "Target",
    "TargetFailure",
    "TargetPlan",
    "UsageProblem",
    "Waiting",
    "__version__",
    "apply",
    "load",
    "plan",
]


def __dir__() -> list[str]:
    """What is public."""
    return __all__


def __getattr__(name: str) -> object:
    """Import what is asked for when it is first asked for: ``--version`` needs nothing of it."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'reconciler' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home), name)
    return value
