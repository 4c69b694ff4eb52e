"""Write one result in the formats that were asked for: standard output and reports."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import check_file, colourful, write_error, write_file, write_result
from reconciler.cli.events import Events, now
from reconciler.cli.formats import CarriedOut, Planned, Renderer, Style, renderer_of
from reconciler.cli.options import Format, Show
from reconciler.core.model import Desired, Outcome, Plan
from reconciler.errors import Diagnostic, InputProblem, Severity, UsageProblem

if TYPE_CHECKING:
    from reconciler.ledger.record import Entry, Record

_Renderers = Mapping[Format, Callable[[bool], str]]


def reports_of(show: Show) -> tuple[tuple[Format, str], ...]:
    """The reports that were asked for, checked before anything else happens.

    Raises:
        UsageProblem: one is not ``FORMAT=FILE`` with a known format, or two are for one file.
    """
    reports: list[tuple[Format, str]] = []
    for text in show.report or ():
        name, equals, path = text.partition("=")
        if not equals or not path or name not in set(Format):
            formats = ", ".join(Format)
            raise UsageProblem("--report takes FORMAT=FILE", detail=text, hint=f"the formats are {formats}")
        check_file(path)
        if Path(path).resolve() in {Path(other).resolve() for _, other in reports} and not _is_device(path):
            raise UsageProblem(f"Two reports are for {path}", hint="give each a file of its own")
        reports.append((Format(name), path))
    return tuple(reports)


def spare_documents(documents: Iterable[Desired], show: Show) -> None:
    """Refuse a report that would be written over a document, or over what one extends.

    Raises:
        UsageProblem: names the first.
    """
    if show.report:
        spare({file for document in documents for file in _files_of(document)}, show, "one of the documents")


def spare(files: Iterable[str | Path], show: Show, what: str) -> None:
    """Refuse a report that would be written over a file; ``what`` says what that is.

    Raises:
        UsageProblem: names the first.
    """
    reports = {Path(path).resolve(): path for _, path in reports_of(show)}
    for file in files if reports else ():
        if path := reports.get(Path(file).resolve()):
            raise UsageProblem(f"{path} is {what}", hint="write the report to a file of its own")


def _files_of(document: Desired) -> Iterator[str]:
    yield document.origin.file
    yield from (setting.origin.file for setting in document.settings.values())


def _is_device(path: str) -> bool:
    return Path(path).exists() and not Path(path).is_file()


@contextmanager
def problems_as_result(show: Show) -> Iterator[None]:
    """Write problems of the input as the result where the result is for a machine, and to every report.

    People read them on standard error, where the caller's caller puts them.
    """
    try:
        yield
    except InputProblem as problem:
        renderers = diagnostics_renderers(problem.diagnostics)
        write_reports(renderers, show)
        if show.format is not Format.TEXT:
            write_result_of(renderers, show)
        raise


def emit(renderers: _Renderers, show: Show, events: Events | None = None) -> None:
    """Write the result to standard output, and to each report's file.

    Args:
        renderers: the result in each format that there is of it.
        show: what was asked for.
        events: what was told while it came about.

    Raises:
        UsageProblem: what is listed by this command has no such format.
    """
    for format_ in (show.format, *(format_ for format_, _ in reports_of(show))):
        if format_ not in renderers:
            hint = f"the formats are {', '.join(renderers)}"
            raise UsageProblem(f"This command can't write {format_.value}", hint=hint)
    write_reports(renderers, show, events)  # first: whoever reads standard output may have left
    write_result_of(renderers, show, events)


def write_result_of(renderers: _Renderers, show: Show, events: Events | None = None) -> None:
    """Write the result to standard output; arguments as :func:`emit` has them."""
    text = renderers[show.format](colourful(no_color=show.no_color))
    write_result((events or Events(show)).rest(text) if show.format is Format.NDJSON else text)


def write_reports(renderers: _Renderers, show: Show, events: Events | None = None) -> None:
    """Write the result to each report's file; arguments as :func:`emit` has them."""
    for format_, path in reports_of(show):
        text = renderers[format_](False)
        write_file(path, (events or Events(show)).whole(text) if format_ is Format.NDJSON else text)


def plan_renderers(plan: Plan, *, drift: bool) -> _Renderers:
    """A plan in every format."""
    from reconciler.render.report import plan_report

    shown = Planned(plan, plan_report(plan, headline="drift" if drift else "plan"))
    return _renderers(lambda renderer, style: renderer.plan(shown, style))


def outcome_renderers(outcomes: Sequence[Outcome], plan: Plan, ended: Collection[str] = ()) -> _Renderers:
    """What an apply did, in every format; of the targets in ``ended`` events have told that they came to their end."""
    from reconciler.render.report import outcome_report

    shown = CarriedOut(outcomes, outcome_report(outcomes, plan), ended)
    return _renderers(lambda renderer, style: renderer.outcome(shown, style))


def diagnostics_renderers(diagnostics: Sequence[Diagnostic]) -> _Renderers:
    """Problems of the input, in every format."""
    return _renderers(lambda renderer, style: renderer.diagnostics(diagnostics, style))


def _renderers(show: Callable[[Renderer, Style], str]) -> _Renderers:
    def in_format(format_: Format, colour: bool) -> str:
        return show(renderer_of(format_), Style(colour, now()))

    return {format_: functools.partial(in_format, format_) for format_ in Format}


def warn(diagnostics: Sequence[Diagnostic], *, strict: bool) -> None:
    """Show warnings on standard error; with ``strict`` they stop the run.

    Raises:
        InputProblem: there are warnings, and none may be.
    """
    if not diagnostics:
        return
    if strict:
        raise InputProblem(tuple(diagnostics))
    show_diagnostics([problem for problem in diagnostics if problem.severity is Severity.WARNING])


def show_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Problems as people read them, on standard error."""
    from reconciler.render.terminal import diagnostics_text

    write_error(diagnostics_text(diagnostics, colour=False))


def history_renderers(entries: Sequence[Entry], nothing: str) -> _Renderers:
    """The ledger's runs, in every format; ``nothing`` is what to say to people where there are none."""
    from reconciler.render.history import history_json, history_markdown, history_text
    from reconciler.render.html import text_html

    return {
        Format.TEXT: lambda _: history_text(entries, nothing),
        Format.MARKDOWN: lambda _: history_markdown(entries, nothing),
        Format.JSON: lambda _: history_json(entries),
        Format.HTML: lambda _: text_html("History", history_text(entries, nothing)),
    }


def record_renderers(records: Sequence[Record]) -> _Renderers:
    """What one run did, in every format."""
    from reconciler.render.history import runs_json, runs_markdown, runs_text
    from reconciler.render.html import text_html

    return {
        Format.TEXT: lambda colour: runs_text(records, colour=colour),
        Format.MARKDOWN: lambda _: runs_markdown(records),
        Format.JSON: lambda _: runs_json(records),
        Format.HTML: lambda _: text_html("Run", runs_text(records, colour=False)),
    }
