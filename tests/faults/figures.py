"""README's table of fault schedules: a row a family, and zeros."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.verdict import Verdict

BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
_COLUMNS = (
    "schedules",
    "not updated once, as asked",
    "lost records",
    "secrets written",
    "wrong exit codes",
    "hangs",
    "tracebacks",
)


def table(rows: Mapping[str, Verdict]) -> str:
    """The table in markdown: each family with its numbers, and all of them together."""
    lines = [_row("what happens to an apply", _COLUMNS), _row("---", ["---:"] * len(_COLUMNS))]
    lines += [_row(name, _numbers(verdict)) for name, verdict in rows.items()]
    lines.append(_row("**all**", _numbers(sum(rows.values(), Verdict()))))
    return "\n".join(lines)


def recorded(readme: str) -> str:
    """The table that README has.

    Raises:
        ValueError: README does not have both markers.
    """
    _, begins, rest = readme.partition(BEGIN)
    within, ends, _ = rest.partition(END)
    if not begins or not ends:
        raise ValueError(f"README has no table of faults: put the lines {BEGIN} and {END} where it belongs")
    return within.strip()


def with_table(readme: str, text: str) -> str:
    """README with another table between its markers.

    Raises:
        ValueError: README does not have both markers.
    """
    recorded(readme)
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def _numbers(verdict: Verdict) -> list[str]:
    return [str(number) for number in (verdict.schedules, *verdict.counts)]


def _row(first: str, cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"
