"""Carry schedules out against a served backend that several share, and have each judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import boto3

from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    EMULATOR_SECRET_KEY,
    Emulator,
    Switches,
    attach,
)
from tests.faults.oracle import DONE
from tests.faults.programs import Ended, Run, Served, Zygote
from tests.faults.project import ENVIRONMENT, RESOURCE, Project, make_project
from tests.faults.schedules import UPDATE, Alone, Killed, Overtaken, Race, Schedule, Setting
from tests.faults.verdict import Story, Truth, Verdict, judge

_AT_ONCE = 6
_PATIENCE = 10.0
_LOOK = 0.01
_GATE_SECONDS = 2.0

# A poll comes after the job's end, however slow the machine is, so that a run takes the same steps each time.
_SWITCHES = ("job_seconds=0.03",)
_OPTIONS = ("--auto-approve", "--poll-interval", "0.05", "--job-timeout", "5", "--verify-polls", "6", "--debug")


class Bench:
    """A served backend, and applies against it; a context manager.

    Args:
        zygote: Starts the processes.
        folder: Holds everything that is written; must not be there yet.
    """

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        self._zygote = zygote
        self._folder = folder
        self._served = Served(zygote, folder / "backend")
        self._emulator = Emulator(self._served.state)
        self._client = boto3.client(
            "amplifybackend",
            region_name=EMULATOR_REGION,
            aws_access_key_id=EMULATOR_ACCESS_KEY,
            aws_secret_access_key=EMULATOR_SECRET_KEY,
        )
        attach(self._client.meta.events, self._emulator)
        self._numbers = count(1)
        self._numbering = threading.Lock()

    def __enter__(self) -> Self:
        self._served.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()
        self._emulator.close()
        self._served.__exit__(kind, error, traceback)

    def judge_all(self, schedules: Iterable[Schedule]) -> Verdict:
        """The verdict on schedules; those for the same kind of service are carried out several at once."""
        verdict = Verdict()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for switches, alike in groupby(sorted(schedules, key=_switches), key=_switches):
                self._configure(switches)
                verdict = sum(pool.map(self._judge, alike), verdict)
        return verdict

    def steps(self, setting: Setting, killed: int = 0) -> tuple[str, ...]:
        """The steps of an apply that nobody disturbs, in their order.

        Args:
            setting: What it finds.
            killed: The step before which another apply was killed that came before it; 0 for none.

        Raises:
            RuntimeError: It did not end well, so that its steps mean nothing.
        """
        self._configure(setting.switches)
        project = self._project("counted", setting)
        if killed:
            self._kill(project, setting, "killed", killed)
        ended = self._begin(project, setting, "counted", steps=True).ended()
        if ended.code != DONE:
            told = (project.folder / "counted.err").read_text(encoding="utf-8")
            raise RuntimeError(f"an apply that nobody disturbs ended with {ended.code}:\n{told}")
        return _lines(project.folder / "counted.steps")

    # --- one schedule ------------------------------------------------------------------------

    def _judge(self, schedule: Schedule) -> Verdict:
        project = self._project(schedule.name, schedule.setting)
        ends = self._carry_out(project, schedule)
        between = self._truth(project)
        recovery = self._begin(project, schedule.setting, "after").ended()
        after = self._truth(project) if schedule.expected.stuck else self._settled(project)
        return judge(project, schedule, Story(ends, between, recovery, after))

    def _carry_out(self, project: Project, schedule: Schedule) -> tuple[Ended, ...]:
        setting = schedule.setting
        match schedule.conduct:
            case Alone():
                return (self._begin(project, setting, "run").ended(),)
            case Killed(step, 0):
                return (self._kill(project, setting, "run", step),)
            case Killed(step, again):
                first = self._kill(project, setting, "run", step)
                self._settled(project)
                return first, self._kill(project, setting, "again", again)
            case Overtaken(step):
                overtaken = self._begin(project, setting, "run", steps=True, at=step, stops=True)
                overtaken.stops_within(_PATIENCE)
                overtaking = self._begin(project, setting, "overtaking")
                overtaking.ends_within(_GATE_SECONDS)  # unless it waits for what the other holds
                overtaken.go_on()
                return overtaken.ended(), overtaking.ended()
            case Race():
                return self._race(project, setting, schedule.conduct)

    def _race(self, project: Project, setting: Setting, race: Race) -> tuple[Ended, ...]:
        runs = []
        for number in range(race.runs):
            if number:
                time.sleep(race.stagger)
            name, gated = f"run-{number}", race.gate > 0
            runs.append(self._begin(project, setting, name, steps=gated, at=race.gate, stops=gated))
        opens = time.monotonic() + _GATE_SECONDS
        for run in runs:
            run.stops_within(opens - time.monotonic() if race.gate else 0)
        for run in runs:
            run.go_on()
        return tuple(run.ended() for run in runs)

    def _kill(self, project: Project, setting: Setting, name: str, step: int) -> Ended:
        """Run an apply that is killed before a step, and wait until the service has what it sent whole."""
        ended = self._begin(project, setting, name, steps=True, at=step).ended()
        told = (line for path in project.folder.glob("*.steps") for line in _lines(path))
        sent = sum(line.endswith(" was sent") for line in told)
        deadline = time.monotonic() + _PATIENCE
        while self._received(project) < sent and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return ended

    def _begin(
        self, project: Project, setting: Setting, name: str, *, steps: bool = False, at: int = 0, stops: bool = False
    ) -> Run:
        reports = [f"--report={kind}={name}.{kind}" for kind in ("json", "markdown")]
        where = ("--endpoint-url", self._served.url)
        return self._zygote.begin(
            ("apply", project.document.name, *where, *_OPTIONS, *reports, *setting.options),
            environment=dict(project.variables),
            folder=str(project.root),
            out=str(project.folder / f"{name}.out"),
            err=str(project.folder / f"{name}.err"),
            steps=str(project.folder / f"{name}.steps") if steps else "",
            watched=str(project.root / ".reconciler"),
            at=at,
            stops=stops,
        )

    # --- the service -------------------------------------------------------------------------

    def _configure(self, switches: tuple[str, ...]) -> None:
        self._emulator.configure(Switches.parse((*_SWITCHES, *switches)))

    def _project(self, name: str, setting: Setting) -> Project:
        with self._numbering:
            app = f"d{next(self._numbers):05}"
        project = make_project(self._folder / app, app, name)
        self._emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, app, ENVIRONMENT, RESOURCE, project.before)
        self._emulator.inject(
            replace(fault, app=app, text=fault.text.format(secret=project.secrets[1])) for fault in setting.faults
        )
        return project

    def _received(self, project: Project) -> int:
        return sum(request.body.get("AppId") == project.app for request in self._emulator.requests())

    def _truth(self, project: Project) -> Truth:
        # Jobs first: what has ended by then has its effect on what is read after.
        pages = self._client.get_paginator("list_backend_jobs").paginate(
            AppId=project.app, BackendEnvironmentName=ENVIRONMENT
        )
        jobs = {job["JobId"]: job["Status"] for page in pages for job in page["Jobs"] if job["Operation"] == UPDATE}
        live = self._emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, project.app, ENVIRONMENT)
        faults = tuple(fault.kind for fault in self._emulator.faults() if fault.app == project.app)
        return Truth(live, jobs, faults)

    def _settled(self, project: Project) -> Truth:
        """The truth once every job has ended."""
        deadline = time.monotonic() + _PATIENCE
        truth = self._truth(project)
        while truth.running and time.monotonic() < deadline:
            time.sleep(_LOOK)
            truth = self._truth(project)
        return truth


def _switches(schedule: Schedule) -> tuple[str, ...]:
    return schedule.setting.switches


def _lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()
