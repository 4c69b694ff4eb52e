"""What there is to show, in each format: one is added here. Only the renderer that is asked for is imported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.cli.options import Format
from reconciler.core.model import Outcome, Plan
from reconciler.errors import Diagnostic
from reconciler.version import __version__

if TYPE_CHECKING:
    from reconciler.render.report import OutcomeReport, Report


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or drift, and its report."""

    plan: Plan
    report: Report


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What an apply did, and its report; of the targets in ``ended`` events have told that they came to their end."""

    outcomes: Sequence[Outcome]
    report: OutcomeReport
    ended: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How it is shown: in colour or not, where a format has colours; at which time, in ISO 8601, where it tells one."""

    colour: bool
    when: str


@dataclass(frozen=True, slots=True)
class Renderer:
    """One format: how it shows a plan, what an apply did, and problems of the input."""

    plan: Callable[[Planned, Style], str]
    outcome: Callable[[CarriedOut, Style], str]
    diagnostics: Callable[[Sequence[Diagnostic], Style], str]


def renderer_of(format_: Format) -> Renderer:
    """What renders a format."""
    match format_:
        case Format.TEXT:
            from reconciler.render import terminal

            renderer = Renderer(
                lambda shown, style: terminal.plan_text(shown.report, colour=style.colour),
                lambda shown, style: terminal.outcome_text(shown.report, colour=style.colour),
                lambda shown, style: terminal.diagnostics_text(shown, colour=style.colour),
            )
        case Format.JSON:
            from reconciler.render import json

            renderer = Renderer(
                lambda shown, _: (json.drift_json if _is_drift(shown) else json.plan_json)(shown.plan, __version__),
                lambda shown, _: json.outcome_json(shown.outcomes, __version__),
                lambda shown, _: json.diagnostics_json(shown),
            )
        case Format.MARKDOWN:
            from reconciler.render import markdown

            renderer = Renderer(
                lambda shown, _: markdown.plan_markdown(_with_digest(shown)),
                lambda shown, _: markdown.outcome_markdown(shown.report),
                lambda shown, _: markdown.diagnostics_markdown(shown),
            )
        case Format.HTML:
            from reconciler.render import html

            renderer = Renderer(
                lambda shown, _: html.plan_html(shown.report),
                lambda shown, _: html.outcome_html(shown.report),
                lambda shown, _: html.diagnostics_html(shown),
            )
        case Format.JUNIT:
            from reconciler.render import junit

            renderer = Renderer(
                lambda shown, _: junit.plan_junit(shown.report),
                lambda shown, _: junit.outcome_junit(shown.report),
                lambda shown, _: junit.diagnostics_junit(shown),
            )
        case Format.SARIF:
            from reconciler.render import sarif

            renderer = Renderer(
                lambda shown, _: sarif.plan_sarif(shown.report, __version__),
                lambda shown, _: sarif.outcome_sarif(shown.report, __version__),
                lambda shown, _: sarif.diagnostics_sarif(shown, __version__),
            )
        case Format.NDJSON:
            from reconciler.render import ndjson

            renderer = Renderer(
                lambda shown, style: ndjson.plan_ndjson(shown.report, style.when),
                lambda shown, style: ndjson.outcome_ndjson(shown.report, style.when, shown.ended),
                lambda shown, style: ndjson.diagnostics_ndjson(shown, style.when),
            )
        case Format.ANNOTATIONS:
            from reconciler.render import annotations

            renderer = Renderer(
                lambda shown, _: annotations.plan_annotations(shown.report),
                lambda shown, _: annotations.outcome_annotations(shown.report),
                lambda shown, _: annotations.diagnostics_annotations(shown),
            )
    return renderer


def _is_drift(shown: Planned) -> bool:
    return shown.report.headline == "drift"


def _with_digest(shown: Planned) -> Report:
    """The report of a plan with its digest, by which people know it; drift is not applied, and has none."""
    if _is_drift(shown):
        return shown.report
    from reconciler.core.planfile import digest_of

    return replace(shown.report, digest=digest_of(shown.plan, version=__version__))
