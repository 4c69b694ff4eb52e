"""The command that tells which targets documents describe, and how each would be reached: targets."""

from __future__ import annotations

from reconciler.cli.options import Choice, Format, Paths, Reach, Show, Strict
from reconciler.cli.output import emit, problems_as_result, warn
from reconciler.cli.run import load, start


def targets(paths: Paths, reach: Reach, choice: Choice, show: Show, strict: Strict = False) -> None:
    """List the targets that a run would touch, and where each value comes from. No network."""
    from reconciler.errors import InputProblem
    from reconciler.render.targets import Listed, Reached, targets_json, targets_markdown, targets_text

    run = start(reach, show, first_path=paths[0], parallelism=choice.parallelism)
    with problems_as_result(show):
        loaded = load(run, paths, choice, None, network=True)
        if loaded.errors:
            raise InputProblem(loaded.diagnostics)
        warn(loaded.diagnostics, strict=strict)
    listed = tuple(
        Listed(
            desired,
            tuple(Reached(key, given.value, given.where) for key, given in loaded.given[desired.name].items()),
        )
        for desired in loaded.desired
    )
    unmeant = len(loaded.given) - len(listed)
    emit(
        {
            Format.TEXT: lambda _: targets_text(listed, unmeant),
            Format.MARKDOWN: lambda _: targets_markdown(listed, unmeant),
            Format.JSON: lambda _: targets_json(listed),
        },
        show,
    )
