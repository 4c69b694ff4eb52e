"""An embedded AmplifyBackend that stands for AWS where the tool is tried and tested.

It imports nothing else of this project, so that it cannot share a bug with what it tests.
"""

from reconciler.emulator.answers import Response
from reconciler.emulator.core import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    EMULATOR_SECRET_KEY,
    Emulator,
    LoggedRequest,
)
from reconciler.emulator.faults import KINDS, PLANTED_JOB_SECRET, Fault
from reconciler.emulator.meta import PLANTED_CLIENT_SECRET
from reconciler.emulator.scenarios import Scenario, profiles, read_scenario
from reconciler.emulator.store import StateError
from reconciler.emulator.switches import MASKS, Switches
from reconciler.emulator.transports import Server, attach, serve

__all__ = [
    "EMULATOR_ACCESS_KEY",
    "EMULATOR_ACCOUNT",
    "EMULATOR_REGION",
    "EMULATOR_SECRET_KEY",
    "KINDS",
    "MASKS",
    "PLANTED_CLIENT_SECRET",
    "PLANTED_JOB_SECRET",
    "Emulator",
    "Fault",
    "LoggedRequest",
    "Response",
    "Scenario",
    "Server",
    "StateError",
    "Switches",
    "attach",
    "profiles",
    "read_scenario",
    "serve",
]
