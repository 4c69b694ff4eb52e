"""A service that says secrets aloud: in why a job failed, in why a request is refused, in what else moved."""

from __future__ import annotations

import base64
import html
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from reconciler.emulator import Fault
from tests.secrecy import canaries
from tests.secrecy.stage import ALL_OF_IT, APPLY, FORMATS, NEW, OLD, SESSION_TOKEN, Stage, providers

CLEAR = ("secrets=clear", "apple_key=clear")
COLLATERAL = canaries.long("what came along")
STRANGERS: Mapping[str, str] = {
    "named": canaries.long("a stranger's, by its name"),
    "shaped": f"GOCSPX-{canaries.short('a stranger')}{canaries.short('by its shape')}",
    "framed": canaries.long("a stranger's key"),
    "code": canaries.short("a stranger's, as a code"),
}
"""Secrets that no run knows: only what stands round them, or their shape, gives them away."""

_QUOTED: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "as JSON": json.dumps,
    "as JSON in JSON": lambda secret: json.dumps(json.dumps(secret)),
    "as JSON beyond ASCII": lambda secret: json.dumps(secret, ensure_ascii=False),
    "in a URL": lambda secret: urllib.parse.quote(secret, safe=""),
    "in a path": urllib.parse.quote,
    "in a form": urllib.parse.quote_plus,
    "in HTML": html.escape,
    "as Python shows it": repr,
    "as Python shows bytes": lambda secret: repr(secret.encode()),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "as basic credentials": lambda secret: base64.b64encode(f"client:{secret}".encode()).decode(),
    "as hexadecimal digits": lambda secret: secret.encode().hex(),
    "in colours": lambda secret: f"{secret[:3]}\x1b[31m{secret[3:]}",
    "in a frame": lambda secret: f"│{secret[:5]}│ │{secret[5:]}│",
    "line by line": lambda secret: "\n│ ".join(secret.splitlines()),
    "by its last line": lambda secret: secret.splitlines()[-1],
}
"""How a text may quote a secret."""


def transcript(quote: Callable[[str], str], *secrets: str) -> str:
    """What a job printed, with secrets in lines that say why it failed."""
    return "\n".join(f"Error: the provider refused <{quote(secret)}> just now" for secret in secrets)


def job_that_quotes(stage: Stage, quote: Callable[[str], str]) -> None:
    """A job fails, and tells the secrets that were sent and those that were live."""
    _set(stage, *CLEAR)
    stage.faults(Fault("job_failed", text=transcript(quote, *NEW.values(), *OLD.values())))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("apply"), code=1)
    stage.run("history", "--format", "json", "--debug")


def job_that_quotes_strangers(stage: Stage) -> None:
    """A job fails, and tells secrets of others."""
    stage.secrets |= set(STRANGERS.values())
    _set(stage)
    lines = (
        f"Error: client_secret={json.dumps(STRANGERS['named'])}",
        f"Error: given {STRANGERS['shaped']} for the client",
        f"Error: -----BEGIN EC PRIVATE KEY----- {STRANGERS['framed']} -----END EC PRIVATE KEY-----",
        f"Error: x-amz-security-token: {SESSION_TOKEN}",
        f"Error: https://bot:{STRANGERS['shaped']}@git.example.com/",
    )
    stage.faults(Fault("job_failed", text="\n".join(lines)))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("apply"), code=1)


def refusal_that_quotes(stage: Stage, status: int) -> None:
    """An update is refused, and the refusal tells what was sent, what was live, and the credentials."""
    _set(stage, *CLEAR)
    said = transcript(str, *NEW.values(), *OLD.values()) + f"\nError: x-amz-security-token:{SESSION_TOKEN}"
    stage.faults(Fault("error", operation="UpdateBackendAuth", status=status, text=said))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("apply"))


def code_that_quotes(stage: Stage) -> None:
    """An update is refused under a code that is none."""
    stage.secrets.add(STRANGERS["code"])
    _set(stage, *CLEAR)
    stage.faults(Fault("error", operation="UpdateBackendAuth", code=f"Refused-{STRANGERS['code']}", text="no"))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("apply"))
    stage.faults(Fault("error", operation="GetBackendAuth", code=f"Refused-{STRANGERS['code']}"))
    stage.run("plan", "auth.json", *stage.reports("plan"))


def read_that_quotes(stage: Stage, operation: str) -> None:
    """A read fails, and tells what the document sends."""
    _set(stage, *CLEAR)
    said = transcript(str, *NEW.values())
    for fault in (
        Fault("error", operation=operation, text=said, times=0),
        Fault("error200", operation, times=0, text=said),
    ):
        for skip in (0, 1):
            stage.faults(replace(fault, skip=skip))
            stage.run("plan", "auth.json", *stage.reports("plan"))
            stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, "--job-timeout", "0", *stage.reports("apply"))
            stage.faults()
            stage.run("unlock", "--force", "--abandon")


def end_that_another_run_sees(stage: Stage) -> None:
    """A run gives up waiting; another one, which knows no secret, sees the job fail and say them all."""
    _set(stage, *CLEAR)
    said = transcript(str, *NEW.values(), *OLD.values())
    stage.faults(Fault("job_failed", seconds=0.2, text=said))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, "--job-timeout", "0", *stage.reports("first"), code=9)
    time.sleep(0.3)
    stage.run("apply", "--resume", *APPLY, *stage.reports("second"))
    stage.run("history", "--format", "json")


def reads_that_another_run_needs(stage: Stage, fault: Fault) -> None:
    """A run gives up waiting; another one, which knows no secret, can't read, and why says them all."""
    _set(stage, *CLEAR)
    stage.faults(Fault("no_effect", seconds=0.2))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, "--job-timeout", "0", *stage.reports("first"), code=9)
    time.sleep(0.3)
    for operation in ("GetBackendAuth", "GetBackend", "GetBackendJob", "ListBackendJobs"):
        stage.faults(replace(fault, operation=operation, times=0, text=transcript(str, *NEW.values(), *OLD.values())))
        stage.run("apply", "--resume", *APPLY, "--job-timeout", "0.1", *stage.reports("second"))


def moved_since(stage: Stage) -> None:
    """What is live moves after it was planned, a secret with it."""
    _set(stage, *CLEAR)
    stage.run("plan", "auth.json", "--out", "saved.plan", code=0)
    stage.live({**OLD, "Google": COLLATERAL}, PasswordPolicy={"MinimumLength": 30})
    stage.secrets.add(COLLATERAL)
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("stale"), code=3)
    stage.run("show", "saved.plan", *stage.reports("show"), code=0)


def job_under_way(stage: Stage) -> None:
    """A run gives up waiting: its journal is open, and has what was live and the backend's meta, sealed."""
    stage.secrets.add(COLLATERAL)
    _set(stage, *CLEAR)
    stage.faults(Fault("meta_collateral", field="*.output.Passphrase", value=COLLATERAL))
    stage.run("apply", "auth.json", *APPLY, "--debug")
    stage.write(providers(stage.references()), length=14)
    stage.faults(Fault("job_stuck"))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, "--job-timeout", "0", *stage.reports("apply"), code=9)
    stage.run("plan", "auth.json", *stage.reports("plan"))
    stage.run("unlock", "--format", "json", "--debug")


def another_secret_came_along(stage: Stage) -> None:
    """A job changes a secret that nobody planned to change, and the service returns it."""
    stage.secrets.add(COLLATERAL)
    _set(stage, *CLEAR)
    stage.write(length=12)
    path = "UserPoolConfigs.OAuth.SocialProviderSettings.Facebook.ClientSecret"
    stage.faults(Fault("collateral", field=path, value=COLLATERAL))
    stage.run("apply", "auth.json", *APPLY, *stage.reports("apply"), code=8)
    stage.run("history", "--format", "json", *stage.reports("history"))


def pulled(stage: Stage) -> None:
    """What is live becomes a document, while the service returns every secret."""
    stage.live()
    stage.switch(*CLEAR)
    stage.run("pull", "--app-id", "d1example", "--env", "prod", "--debug", code=0)
    stage.run("pull", "--app-id", "d1example", "--env", "prod", "--out", "pulled.yaml", code=0)


def bound(stage: Stage) -> None:
    """A plan is bound to its secrets by fingerprints, which no record repeats."""
    _set(stage)
    stage.run("plan", "auth.json", ALL_OF_IT, "--out", "saved.plan", code=0)
    target = json.loads((stage.project / "saved.plan").read_bytes())["reconciler"]["targets"][0]
    stage.planted.add(stage.project / "saved.plan")
    stage.run("apply", "saved.plan", *APPLY, code=0)
    stage.planted |= set(stage.ledger.glob("journal/*"))
    fingerprints = {secret["fingerprint"].rpartition(":")[2] for secret in target["secrets"]}
    assert len(fingerprints) == len(NEW)
    stage.secrets |= fingerprints
    for kind in FORMATS:
        stage.run("history", "--format", kind, code=0)


def others_in_clear(stage: Stage) -> None:
    """A provider is added and another removed, while the service returns every secret."""
    stage.live()
    stage.switch(*CLEAR)
    written = providers(stage.references())
    stage.write({**written, "Facebook": None})
    stage.run("plan", "auth.json", "--out", "saved.plan", *stage.reports("plan"), code=0)
    stage.run("show", "saved.plan", "--format", "markdown")
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("apply"), code=0)
    stage.write(written)
    stage.run("apply", "auth.json", *APPLY, *stage.reports("again"), code=0)


def _set(stage: Stage, *switches: str) -> None:
    stage.live()
    stage.switch(*switches)
    stage.write(providers(stage.references()))


def _spoken() -> Iterator[tuple[str, Callable[[Stage], None]]]:
    for name, quote in _QUOTED.items():
        yield f"job quotes {name}", partial(job_that_quotes, quote=quote)
    for status in (400, 403, 404, 409, 429, 500, 504):
        yield f"refused with {status}", partial(refusal_that_quotes, status=status)
    for operation in ("GetBackendAuth", "GetBackend", "GetBackendJob", "ListBackendJobs"):
        yield f"{operation} quotes", partial(read_that_quotes, operation=operation)
    yield "job quotes strangers", job_that_quotes_strangers
    yield "refused under a code", code_that_quotes
    yield "resumed", end_that_another_run_sees
    for kind in ("error", "error200"):
        yield f"resumed, {kind}", partial(reads_that_another_run_needs, fault=Fault(kind))
    yield "under way", job_under_way
    yield "stale", moved_since
    yield "a secret moved", another_secret_came_along
    yield "added and removed", others_in_clear
    yield "pulled", pulled
    yield "bound", bound


SPOKEN: Mapping[str, Callable[[Stage], None]] = dict(_spoken())
