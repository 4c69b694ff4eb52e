"""The rows: what is measured, against what, what is to be reached, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks import peers
from benchmarks.bench import Bench, Sizes
from benchmarks.fleet import EXAMPLE, RECONCILER, app_of, plain_environment
from benchmarks.measure import Taken, in_turn, run

Figure = Callable[[float, float, Sizes], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: what ``--only`` calls it.
        what: what is measured; may name sizes.
        against: what it is held against.
        reach: the figure to be reached.
        measure: measures both, in turn.
        unit: of what was measured.
        figure: from one measure of each to the figure.
        figured: the unit of the figure; by default it is a ratio.
        least: whether the figure is to be as large as `reach`, and not as small.
    """

    name: str
    what: str
    against: str
    reach: float
    measure: Callable[[Bench], Taken]
    unit: str = "s"
    figure: Figure = lambda ours, theirs, _: ours / theirs
    figured: str = ""
    least: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a row came to.

    Attributes:
        row: the row.
        what: what was measured, with its sizes.
        against: what it was held against, with its sizes.
        taken: every measure.
        figure: that of both medians.
        lowest: the lowest figure of a pair.
        highest: the highest.
    """

    row: Row
    what: str
    against: str
    taken: Taken
    figure: float
    lowest: float
    highest: float

    @property
    def reached(self) -> bool:
        """Whether the figure is what is to be reached."""
        good = self.figure >= self.row.reach if self.row.least else self.figure <= self.row.reach
        return good and not self.taken.failed


def measured(row: Row, bench: Bench) -> Result:
    """Measure a row.

    Raises:
        Unmeasurable: a program did not do what is measured.
    """
    sizes = bench.sizes
    taken = row.measure(bench)
    pairs = [row.figure(ours, theirs, sizes) for ours, theirs in zip(taken.ours, taken.theirs, strict=True)]
    figure = row.figure(median(taken.ours), median(taken.theirs), sizes)
    named = {**asdict(sizes), "milliseconds": round(sizes.latency * 1000)}
    what, against = row.what.format(**named), row.against.format(**named)
    return Result(row, what, against, taken, figure, min(pairs), max(pairs))


def _started(option: str) -> Callable[[Bench], Taken]:
    environment = plain_environment()
    return lambda bench: in_turn(
        lambda: run([RECONCILER, option], environment).wall,
        lambda: run(peers.import_typer(), environment).wall,
        bench.sizes.often,
    )


def _validate(bench: Bench) -> Taken:
    environment = plain_environment()
    return in_turn(
        lambda: run([RECONCILER, "validate", str(EXAMPLE)], environment).wall,
        lambda: run(peers.check_jsonschema(), environment).wall,
        bench.sizes.often,
    )


def _single(bench: Bench) -> Taken:
    return in_turn(
        lambda: bench.plan(bench.single, bench.near).wall,
        lambda: run(peers.aws_read(app_of(0)), bench.near).wall,
        bench.sizes.often,
    )


def _pipeline(bench: Bench) -> Taken:
    sizes = bench.sizes
    documents = bench.fleet(sizes.targets)
    pipeline = peers.aws_pipeline(bench.folder / "expected", sizes.sample, sizes.parallelism, bench.near)
    share = sizes.sample / sizes.targets
    return in_turn(
        lambda: bench.plan(documents, bench.near).wall,
        lambda: run(pipeline, bench.near).wall / share,
        sizes.seldom,
        warm=False,
    )


def _planning(bench: Bench) -> Taken:
    return in_turn(lambda: bench.planning(bench.sizes.targets), lambda: bench.bare(bench.near)[1], bench.sizes.repeat)


def _process(bench: Bench) -> Taken:
    documents = bench.fleet(bench.sizes.targets)
    return in_turn(
        lambda: bench.plan(documents, bench.near).cpu, lambda: bench.bare(bench.near)[0].cpu, bench.sizes.repeat
    )


def _far(bench: Bench) -> Taken:
    sizes = bench.sizes
    documents = bench.fleet(sizes.targets)
    ideal = sizes.targets / sizes.parallelism * sizes.latency
    return in_turn(
        lambda: bench.plan(documents, bench.far).wall,
        lambda: max(ideal, bench.bare(bench.far)[0].wall),
        sizes.repeat,
        warm=False,
    )


def _growth_of_cpu(bench: Bench) -> Taken:
    sizes = bench.sizes
    return in_turn(
        lambda: bench.planning(sizes.large) / sizes.large,
        lambda: bench.planning(sizes.targets) / sizes.targets,
        sizes.seldom,
        warm=False,
    )


def _memory(bench: Bench) -> Taken:
    sizes = bench.sizes
    large, small = bench.fleet(sizes.large), bench.fleet(sizes.targets)
    return in_turn(
        lambda: bench.plan(large, bench.near).peak,
        lambda: bench.plan(small, bench.near).peak,
        sizes.seldom,
        warm=False,
    )


def _unchanged(bench: Bench) -> Taken:
    sizes = bench.sizes
    taken = bench.child("unchanged", bench.single, 4 * sizes.repeat, min(500, 20 * sizes.targets))
    return Taken(tuple(taken["ours"]), tuple(taken["theirs"]))


def _throttled_time(bench: Bench) -> Taken:
    sizes = bench.sizes
    ideal = max(sizes.throttled - sizes.burst, 1) / sizes.rate
    return Taken((bench.throttled.wall,), (ideal,), bench.throttled.failed)


def _throttled_requests(bench: Bench) -> Taken:
    return Taken((bench.throttled.sent,), (bench.sizes.throttled,), bench.throttled.failed)


ROWS = (
    Row("version", "`--version`", '`python -c "import typer"`', 1.3, _started("--version")),
    Row("help", "`--help`", '`python -c "import typer"`', 1.3, _started("--help")),
    Row("validate", "`validate examples/auth.yaml`", "`check-jsonschema`, same file and schema", 0.7, _validate),
    Row(
        "single",
        "`plan` of one unchanged target, whole process",
        "one `aws amplifybackend get-backend-auth`, whole process",
        0.8,
        _single,
    ),
    Row(
        "pipeline",
        "`plan` of {targets:,} targets",
        "the AWS CLI in `xargs -P {parallelism}` plus `diff`, scaled from {sample:,} targets",
        100,
        _pipeline,
        figure=lambda ours, theirs, _: theirs / ours,
        figured="times faster",
        least=True,
    ),
    Row(
        "planning",
        "`plan` of {targets:,} targets, CPU from fetch to diff, documents loaded",
        "bare boto3 in {parallelism} threads, CPU of the same reads",
        1.4,
        _planning,
    ),
    Row(
        "process",
        "`plan` of {targets:,} targets, CPU of the whole process, `extends` on one base",
        "bare boto3 in {parallelism} threads, CPU of the whole process",
        2.5,
        _process,
    ),
    Row(
        "latency",
        "`plan` of {targets:,} targets, {milliseconds} ms latency, whole process",
        "{targets:,} / {parallelism} times {milliseconds} ms, or bare boto3, the larger",
        1.2,
        _far,
    ),
    Row("growth", "CPU a target, from fetch to diff, at {large:,}", "the same at {targets:,}", 1.05, _growth_of_cpu),
    Row(
        "memory",
        "peak memory of `plan` at {large:,} targets",
        "the same at {targets:,}",
        24,
        _memory,
        unit="KB",
        figure=lambda ours, theirs, sizes: (ours - theirs) / (sizes.large - sizes.targets),
        figured="KB a target",
    ),
    Row(
        "unchanged",
        "normalise and diff of an unchanged target",
        "`copy.deepcopy` of what was read",
        3,
        _unchanged,
    ),
    Row(
        "rate",
        "`plan` of {throttled:,} targets, {rate} requests a second let pass",
        "the ideal: {burst} at once, then {rate} a second",
        1.15,
        _throttled_time,
    ),
    Row(
        "requests",
        "requests sent then, 429 and all",
        "requests needed",
        1.05,
        _throttled_requests,
        unit="requests",
    ),
)
