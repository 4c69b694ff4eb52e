"""The command that lists what is waived: waivers."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.cli.options import Choice, Format, Paths, Reach, Show, Strict
from reconciler.cli.output import emit, problems_as_result
from reconciler.cli.run import checked, start


def waivers(paths: Paths, reach: Reach, choice: Choice, show: Show, strict: Strict = False) -> None:
    """List the differences that are waived, and how many days each has left. No network."""
    from reconciler.render.html import text_html
    from reconciler.render.waivers import waivers_json, waivers_markdown, waivers_text

    run = start(reach, show, first_path=paths[0], parallelism=choice.parallelism)
    with problems_as_result(show):
        loaded = checked(run, paths, choice, strict=strict, network=True)
    now = datetime.now(UTC)
    emit(
        {
            Format.TEXT: lambda _: waivers_text(loaded.desired, now),
            Format.MARKDOWN: lambda _: waivers_markdown(loaded.desired, now),
            Format.JSON: lambda _: waivers_json(loaded.desired, now),
            Format.HTML: lambda _: text_html("Waivers", waivers_text(loaded.desired, now)),
        },
        show,
    )
