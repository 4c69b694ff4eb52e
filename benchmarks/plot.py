"""The results as a picture: how far each figure is from what is to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.rows import Result
from benchmarks.table import figure, to_reach

_WIDTH, _HEAD, _ROW, _FOOT = 980, 44, 46, 30
_BARS, _UNIT = 490, 190  # where the bars begin, and how long one is that just reaches
_LONGEST = 1.5  # of what just reaches; a longer bar is cut, its figure tells
_LEGEND = (
    "Figures of medians, both sides measured in turn in one run. "
    "The shorter the better: a bar that ends at the dashed line or before it is reached."
)

# A page in the dark is met by its own colours; GitHub shows the picture in either.
_STYLE = """
  text { font-family: "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; fill: #1f2328 }
  .small { font-size: 11px; fill: #59636e }
  .reached { fill: #0969da }
  .missed { fill: #bc4c00 }
  .track { fill: #818b98; fill-opacity: .18 }
  line { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 5 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
    .reached { fill: #4493f8 }
    .missed { fill: #f0883e }
    line { stroke: #f0f6fc }
  }
"""


def plot(results: Sequence[Result]) -> str:
    """An SVG of a bar a row: up to the dashed line is reached, and the shorter the better."""
    height = _HEAD + _ROW * len(results) + _FOOT
    limit = _BARS + _UNIT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        "<title>Speed: each figure against what is to be reached</title>",
        f"<style>{_STYLE}</style>",
        '<text x="12" y="24" font-weight="600">What is measured, and against what</text>',
        f'<text x="{limit}" y="24" text-anchor="middle">to reach</text>',
        *(_bar(result, _HEAD + _ROW * place) for place, result in enumerate(results)),
        f'<line x1="{limit}" y1="{_HEAD - 12}" x2="{limit}" y2="{height - _FOOT}"/>',
        f'<text class="small" x="12" y="{height - 10}">{_LEGEND}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bar(result: Result, top: int) -> str:
    share = result.row.reach / result.figure if result.row.least else result.figure / result.row.reach
    length = round(_UNIT * max(0.0, min(share, _LONGEST)), 1)
    kind, mark = ("reached", "✓") if result.reached else ("missed", "✗")
    what, against = (escape(text.replace("`", "")) for text in (result.what, f"against {result.against}"))
    first, second, figures = top + 15, top + 31, _BARS + _UNIT * _LONGEST + 10
    parts = (
        f'<text x="12" y="{first}">{what}</text>',
        f'<text class="small" x="12" y="{second}">{against}</text>',
        f'<rect class="track" x="{_BARS}" y="{top + 6}" width="{_UNIT * _LONGEST:g}" height="20" rx="3"/>',
        f'<rect class="{kind}" x="{_BARS}" y="{top + 6}" width="{length:g}" height="20" rx="3"/>',
        f'<text x="{figures:g}" y="{first}">{mark} {figure(result)}</text>',
        f'<text class="small" x="{figures:g}" y="{second}">{to_reach(result)}</text>',
    )
    return "\n".join(parts)
