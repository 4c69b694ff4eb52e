"""Write one result in the formats that were asked for: standard output and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.console import check_file, colourful, write_error, write_file, write_result
from reconciler.cli.options import Format, Show
from reconciler.core.model import Outcome, Plan
from reconciler.errors import Diagnostic, InputProblem, Severity, UsageProblem

if TYPE_CHECKING:
    from reconciler.ledger.record import Entry, Record

_Renderers = Mapping[Format, Callable[[bool], str]]


def reports_of(show: Show) -> tuple[tuple[Format, str], ...]:
    """The reports that were asked for, checked before anything else happens.

    Raises:
        UsageProblem: one is not ``FORMAT=FILE`` with a known format.
    """
    reports = []
    for text in show.report or ():
        name, equals, path = text.partition("=")
        if not equals or not path or name not in set(Format):
            formats = ", ".join(Format)
            raise UsageProblem("--report takes FORMAT=FILE", detail=text, hint=f"the formats are {formats}")
        check_file(path)
        reports.append((Format(name), path))
    return tuple(reports)


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
            write_result(renderers[show.format](False))
        raise


def emit(renderers: _Renderers, show: Show) -> None:
    """Write the result to standard output, and to each report's file."""
    write_result(renderers[show.format](colourful(no_color=show.no_color)))
    write_reports(renderers, show)


def write_reports(renderers: _Renderers, show: Show) -> None:
    """Write the result to each report's file."""
    for format_, path in reports_of(show):
        write_file(path, renderers[format_](False))


def plan_renderers(plan: Plan, *, drift: bool) -> _Renderers:
    """A plan in every format."""
    from reconciler.render.json import drift_json, plan_json
    from reconciler.render.markdown import plan_markdown
    from reconciler.render.report import plan_report
    from reconciler.render.terminal import plan_text
    from reconciler.version import __version__

    report = plan_report(plan, headline="drift" if drift else "plan")
    return {
        Format.TEXT: lambda colour: plan_text(report, colour=colour),
        Format.MARKDOWN: lambda _: plan_markdown(report),
        Format.JSON: lambda _: (drift_json if drift else plan_json)(plan, __version__),
    }


def outcome_renderers(outcomes: Sequence[Outcome], plan: Plan) -> _Renderers:
    """What an apply did, in every format."""
    from reconciler.render.json import outcome_json
    from reconciler.render.markdown import outcome_markdown
    from reconciler.render.report import outcome_report
    from reconciler.render.terminal import outcome_text
    from reconciler.version import __version__

    report = outcome_report(outcomes, plan)
    return {
        Format.TEXT: lambda colour: outcome_text(report, colour=colour),
        Format.MARKDOWN: lambda _: outcome_markdown(report),
        Format.JSON: lambda _: outcome_json(outcomes, __version__),
    }


def diagnostics_renderers(diagnostics: Sequence[Diagnostic]) -> _Renderers:
    """Problems of the input, in every format."""
    from reconciler.render.json import diagnostics_json
    from reconciler.render.markdown import diagnostics_markdown
    from reconciler.render.terminal import diagnostics_text

    return {
        Format.TEXT: lambda colour: diagnostics_text(diagnostics, colour=colour),
        Format.MARKDOWN: lambda _: diagnostics_markdown(diagnostics),
        Format.JSON: lambda _: diagnostics_json(diagnostics),
    }


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

    return {
        Format.TEXT: lambda _: history_text(entries, nothing),
        Format.MARKDOWN: lambda _: history_markdown(entries, nothing),
        Format.JSON: lambda _: history_json(entries),
    }


def record_renderers(records: Sequence[Record]) -> _Renderers:
    """What one run did, in every format."""
    from reconciler.render.history import runs_json, runs_markdown, runs_text

    return {
        Format.TEXT: lambda colour: runs_text(records, colour=colour),
        Format.MARKDOWN: lambda _: runs_markdown(records),
        Format.JSON: lambda _: runs_json(records),
    }
