"""What tests share: programs that live in environments of their own, a stand-in for AWS, and how many cases a law gets.

HYPOTHESIS_PROFILE=nightly tries many more, different ones each time.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.programs import executable
from tests.service_models import share_service_models

_MEMORY = Path("/dev/shm")  # noqa: S108 - it is where Linux has a file system in memory
_ENOUGH = 1 << 30


def _write_to_memory() -> None:
    """Let temporary files be in memory, if there is room: every test has a ledger, which waits for the disk.

    Whoever names a place with TMPDIR or --basetemp has it there.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    memory = os.statvfs(_MEMORY)
    if memory.f_bavail * memory.f_frsize >= _ENOUGH and not memory.f_flag & os.ST_NOEXEC:
        tempfile.tempdir = str(_MEMORY)


settings.register_profile(
    "default",
    deadline=None,
    max_examples=60,
    derandomize=True,
    print_blob=True,
    # Explaining a failure costs minutes, and says little where the emulator's database is in between.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "nightly", settings.get_profile("default"), max_examples=2_000, derandomize=False, database=None
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
share_service_models()
_write_to_memory()


@pytest.fixture(scope="session")
def aws_cli() -> Path:
    """Return the real `aws`; it pins its own botocore, so it cannot live beside the one under test."""
    return executable("aws", package="awscli")


@pytest.fixture(scope="session")
def checkov() -> Path:
    """Return the real `checkov`, which is heavy and pins much."""
    return executable("checkov", package="checkov")


_MOTO_SERVER = """
import sys
from threading import Lock, Thread
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

application, one_at_a_time = DomainDispatcherApplication(create_backend_app), Lock()

def answer(environment, start):
    with one_at_a_time:
        return application(environment, start)

server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=MotoRequestHandler)
Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
"""
"""moto, one request after another: it looks at If-Match and writes in two steps, between which S3 lets nobody in."""


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the URL of moto's S3, STS, SSM and Secrets Manager, in a process that ends with this one; all empty."""
    # Few keys a page, so that whoever lists meets more than one page.
    environment = {**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "20"}
    command = [sys.executable, "-W", "ignore", "-c", _MOTO_SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port, "moto does not start: is moto[s3,secretsmanager,ssm,sts] installed, with flask and flask-cors?"
        yield f"http://127.0.0.1:{port}"
        server.stdin.close()
