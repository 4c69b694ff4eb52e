"""The options that let the embedded backend fail."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import Fault, profiles

if TYPE_CHECKING:
    from tests.cli.conftest import Project, Start


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--profile", "doomsday"), "stuck-job: the next job runs for ever"),
        (("--faults", "nothing.json"), "--faults can't read nothing.json: No such file"),
        (("--faults", "faults.json"), "faults[0]: fire: no such fault; there are throttle"),
        (("--profile", "bad-day", "--switch", "secrets=shouted"), "secrets=shouted: must be one of"),
    ],
)
def test_a_wrong_option_ends_with_sixtyfour_and_changes_nothing(
    project: Project, arguments: tuple[str, ...], text: str
) -> None:
    (project.folder / "faults.json").write_text('{"faults": [{"kind": "fire"}]}', encoding="utf-8")
    result = project.run("emulator", *arguments)
    assert result.code == 64
    assert text in result.err
    assert project.emulator.faults() == ()


def test_the_help_lists_every_profile(project: Project) -> None:
    result = project.run("emulator", "--help")
    assert all(f"  {name} " in result.out for name in profiles())


def test_a_file_goes_on_top_of_a_profile_and_switches_on_top_of_both(project: Project, start: Start) -> None:
    (project.folder / "faults.json").write_text(
        '{"seed": 3, "switches": {"secrets": "clear", "stale_reads": 4}, "faults": [{"kind": "slow"}]}',
        encoding="utf-8",
    )
    server = start("emulator", "--profile", "bad-day", "--faults", "faults.json", "--switch", "secrets=masked")
    assert server.stdout is not None
    assert server.stdout.readline().startswith("# The embedded AmplifyBackend listens")
    assert project.emulator.faults() == (*profiles()["bad-day"].faults, Fault("slow"))
    assert (project.emulator.switches.secrets, project.emulator.switches.stale_reads) == ("masked", 4)
    server.send_signal(signal.SIGINT)
    assert server.wait(60) == 0
