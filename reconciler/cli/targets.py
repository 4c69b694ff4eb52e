"""The command that tells which targets documents describe, and how each would be reached: targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.cli.options import Choice, Format, Paths, Reach, Show, Strict
from reconciler.cli.output import emit, problems_as_result, warn
from reconciler.cli.run import load, start
from reconciler.core.model import EMBEDDED, Desired

if TYPE_CHECKING:
    from reconciler.core.given import Given
    from reconciler.wiring import Services


def targets(paths: Paths, reach: Reach, choice: Choice, show: Show, strict: Strict = False) -> None:
    """List the targets that a run would touch, and where each value comes from. No network."""
    from reconciler.errors import InputProblem, Severity
    from reconciler.render.html import text_html
    from reconciler.render.targets import Listed, targets_json, targets_markdown, targets_text

    run = start(reach, show, first_path=paths[0], parallelism=choice.parallelism)
    with problems_as_result(show):
        loaded = load(run, paths, choice, None, network=True)
        problems = run.services.check(loaded)
        if not loaded.errors:
            problems = (*problems, *run.services.check_reach(loaded))
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise InputProblem(problems)
        warn(problems, strict=strict)
    listed = tuple(
        Listed(desired, _reached(desired, loaded.given[desired.name], run.services)) for desired in loaded.desired
    )
    unmeant = len(loaded.given) - len(listed)
    emit(
        {
            Format.TEXT: lambda _: targets_text(listed, unmeant, loaded.unfit),
            Format.MARKDOWN: lambda _: targets_markdown(listed, unmeant, loaded.unfit),
            Format.JSON: lambda _: targets_json(listed),
            Format.HTML: lambda _: text_html("Targets", targets_text(listed, unmeant, loaded.unfit)),
        },
        show,
    )


def _reached(desired: Desired, given: Mapping[str, Given], services: Services) -> Mapping[str, Given]:
    """What a target is reached by; the embedded backend asks for no credentials."""
    from reconciler.core.given import Given

    if services.embedded:
        used = {key: value for key, value in given.items() if key in {"region", "wave", "mode", "protect"}}
        return {**used, "endpoint_url": Given(EMBEDDED, "--emulator")}
    configured = None if "endpoint_url" in given else services.configured_endpoint(desired)
    if configured is None:
        return given
    return {**given, "endpoint_url": Given(configured, "the environment or the profile")}
