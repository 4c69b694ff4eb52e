"""Every command in every format, with secrets in every place: on good days, and on each kind of bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from reconciler.cli.commands import COMMANDS
from reconciler.emulator import Switches, profiles
from tests.secrecy.remote import REMOTE
from tests.secrecy.spoken import SPOKEN
from tests.secrecy.stage import ALL_OF_IT, APPLY, FORMATS, RESULTS, Stage, providers
from tests.secrecy.wrong import WRONG

Scenario = Callable[[Stage], None]
"""Sets the stage and runs commands; what they wrote is looked at afterwards."""

READINGS: Mapping[str, tuple[str, ...]] = {
    "absent": (),
    "clear": ("secrets=clear", "apple_key=clear"),
    "masked": ("secrets=masked", "apple_key=masked", "mask=leading"),
}
"""How the service returns secrets."""


def from_plan_to_restore(stage: Stage, *switches: str) -> None:
    """A day on which nothing goes wrong, with every command that there is."""
    stage.live()
    stage.switch(*switches)
    stage.write(providers(stage.references()))
    stage.run("validate", "auth.json", *stage.reports("validate"), code=0)
    stage.run("targets", "auth.json", *stage.reports("targets"), code=0)
    stage.run("iam-policy", "auth.json", code=0)
    stage.run("waivers", "auth.json", *stage.reports("waivers"), code=0)
    stage.run("render", "auth.json", code=0)
    stage.run("render", "auth.json", "--origins", code=0)
    stage.run("plan", "auth.json", ALL_OF_IT, "--out", "saved.plan", *stage.reports("plan"), code=0)
    stage.from_python("auth.json")
    stage.run("plan", "auth.json", "--without-secrets", "--format", "markdown", "--verbose", code=0)
    for kind in RESULTS:
        stage.run("show", "saved.plan", "--format", kind, code=0)
    stage.run("drift", "auth.json", *stage.reports("drift"), code=2)
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("apply"), code=0)
    stage.run("apply", "saved.plan", *APPLY, "--format", "json", code=3)
    stage.write(providers(stage.references()), length=14)
    stage.run("apply", "auth.json", *APPLY, "--format", "markdown", "--verbose", code=0)
    stage.write(providers(stage.references()), length=16)
    for command in ("plan", "drift"):
        stage.run(command, "auth.json", "--base", "last-applied", *stage.reports(f"{command}-base"), code=0)
    stage.write(providers(stage.references()), length=14)
    for kind in FORMATS:
        runs = stage.run("history", "--format", kind, "--verbose", code=0)
    stage.run("history", "--format", "json", *stage.reports("history"), code=0)
    for run in _runs(stage):
        stage.run("history", run, *stage.reports(f"history-{run}"), code=0)
        stage.run("restore", run, *APPLY, *stage.reports(f"restore-{run}"))
    assert runs
    stage.run("apply", "--resume", *stage.reports("resume"))
    stage.run("unlock", "--force", *stage.reports("unlock"))
    stage.run("pull", "--app-id", "d1example", "--env", "prod", "--debug", code=0)
    stage.run("pull", "--app-id", "d1example", "--env", "prod", "--out", "pulled.yaml", "--debug", code=0)
    for name in ("auth", "project", "plan"):
        stage.run("schema", name, code=0)
    stage.run("emulator", "seed", "auth.json", code=0)
    stage.run("apply", "auth.json", "--format", "nonsense", code=64)
    assert stage.commands == set(COMMANDS)


def rehearsed(stage: Stage, profile: str) -> None:
    """A day of a shipped profile."""
    scenario = profiles()[profile]
    stage.live()
    with stage.backend() as backend:
        switches = Switches.parse(("job_seconds=0", *READINGS["clear"])).updated(scenario.switches)
        backend.stage(switches, scenario.faults)
    stage.write(providers(stage.references()))
    hurry = (*APPLY, "--job-timeout", "0.1")
    stage.run("apply", "auth.json", ALL_OF_IT, *hurry, *stage.reports("apply"))
    stage.run("drift", "auth.json", "--format", "markdown", "--verbose")
    stage.run("apply", "--resume", *hurry, "--format", "json", "--debug")
    stage.run("history", "--format", "json", *stage.reports("history"))
    for run in _runs(stage):
        stage.run("history", run, "--format", "markdown", "--debug")


def seeded_switched_on_again(stage: Stage) -> None:
    """What is live goes back and forth between two sets of secrets, in a ledger that has their fingerprints."""
    stage.live()
    stage.switch(*READINGS["masked"])
    stage.write(providers(stage.references()))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("first"), code=0)
    stage.variable("SHOP_GOOGLE", "another" + stage.references()["Facebook"])
    stage.run("plan", "auth.json", "--out", "saved.plan", *stage.reports("rotated"), code=0)
    stage.references()
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("bound"), code=3)
    stage.variable("RECONCILER_LEDGER_KEY", "")
    stage.run("apply", "saved.plan", *APPLY, "--format", "json", "--debug", code=3)
    stage.run("plan", "auth.json", "--format", "json", "--debug")


def _runs(stage: Stage) -> tuple[str, ...]:
    records = sorted((stage.ledger / "runs").iterdir()) if (stage.ledger / "runs").exists() else []
    return tuple(path.name for path in records)


def _scenarios() -> Iterator[tuple[str, Scenario]]:
    for name, switches in READINGS.items():
        yield f"every command, secrets {name}", partial(_day, switches=switches)
    for profile in profiles():
        yield f"profile {profile}", partial(rehearsed, profile=profile)
    yield "rotated", seeded_switched_on_again
    yield from {**SPOKEN, **WRONG, **REMOTE}.items()


def _day(stage: Stage, *, switches: tuple[str, ...]) -> None:
    from_plan_to_restore(stage, *switches)


SCENARIOS: Mapping[str, Scenario] = dict(_scenarios())
