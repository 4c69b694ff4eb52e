"""Secrets at AWS: in SSM and Secrets Manager, in free text where they hide, and on the way to the service."""

from __future__ import annotations

import json
import logging
import os
import pickle
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from reconciler.core.model import Access
from reconciler.core.proof import Key, Proofs
from reconciler.core.secret import Secret
from reconciler.emulator import Fault, serve
from reconciler.operations.live import read_live
from reconciler.operations.plan import plan
from reconciler.secrets.local import Local
from reconciler.wiring import Connection, Selection, Services
from tests.secrecy import canaries
from tests.secrecy.stage import ALL_OF_IT, APPLY, LEDGER_KEY, NEW, OLD, SESSION_TOKEN, Stage, providers
from tests.unit.aws.conftest import Answer, Asked, serving

_CODE = "Your code is {####} "
OLD_MAIL = _CODE + canaries.unicode("the old message")
NEW_MAIL = _CODE + canaries.long("the new message")
MOVED_MAIL = _CODE + canaries.long("the message that moved")
OLD_SMS = "Sign in with {####} " + canaries.short("the old text")
NEW_SMS = "Sign in with {####} " + canaries.short("the new text")
NEW_ID = canaries.long("an id that hides")
LONG_MAIL = _CODE + "x" * 20_137
LENGTH = f"{len(LONG_MAIL)} characters"
"""What must not be said of a secret that is too long."""
PROXY = canaries.short("the password of the proxy")
CLEAR = ("secrets=clear", "apple_key=clear")


def _hidden(text: str) -> str:
    return text.rpartition(" ")[2]


HIDDEN = {_hidden(text) for text in (OLD_MAIL, NEW_MAIL, MOVED_MAIL, OLD_SMS, NEW_SMS)} | {NEW_ID}


def everywhere_at_aws(stage: Stage) -> None:
    """Every provider's secret, and free text, comes from SSM or Secrets Manager."""
    names = _stored(stage)
    _live_with_texts(stage)
    _write_texts(stage, names)
    stage.run("validate", "auth.json", *stage.reports("validate"), code=0)
    stage.run("iam-policy", "auth.json", code=0)
    stage.run("plan", "auth.json", "--out", "saved.plan", ALL_OF_IT, *stage.reports("plan"), code=0)
    stage.run("show", "saved.plan", "--format", "markdown", code=0)
    stage.run("drift", "auth.json", *stage.reports("drift"), code=2)
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("apply"), code=0)
    stage.run("history", "--format", "json", "--debug", code=0)


def text_that_moved(stage: Stage) -> None:
    """A job stores another text where one hides, and another one says both of them and fails."""
    names = _stored(stage)
    _live_with_texts(stage)
    _write_texts(stage, names)
    path = "UserPoolConfigs.VerificationMessage.EmailSettings.EmailMessage"
    stage.faults(Fault("collateral", field=path, value=MOVED_MAIL))
    stage.run("apply", "auth.json", *APPLY, *stage.reports("moved"))
    said = "\n".join(f"Error: refused <{text}>" for text in (MOVED_MAIL, NEW_MAIL, NEW_SMS))
    stage.faults(Fault("job_failed", text=said))
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("failed"))
    stage.run("history", "--format", "json", *stage.reports("history"))


def text_that_hides_no_more(stage: Stage) -> None:
    """A text hid by an earlier document, and stands in clear in the next one, or in none: what is live stays hidden."""
    names = _stored(stage)
    _live_with_texts(stage)
    _write_texts(stage, names)
    stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, code=0)
    stage.run("pull", "--app-id", "d1example", "--env", "prod", "--resource", "shopauth", "--debug", code=0)
    stage.write(length=14, VerificationMessage=_message("{####} it is"))
    stage.run("plan", "auth.json", "--out", "saved.plan", *stage.reports("plan"), code=0)
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("apply"))
    for run in sorted((stage.ledger / "runs").iterdir()):
        stage.run("history", run.name, *stage.reports("history"))
        stage.run("restore", run.name, *APPLY, *stage.reports("restore"))


def text_that_breaks_a_rule(stage: Stage) -> None:
    """A text that hides is too long, and another has no place for the code."""
    names = _stored(stage)
    stage.secrets.add(LENGTH)
    _live_with_texts(stage)
    for text in (LONG_MAIL, _hidden(NEW_MAIL)):
        stage.aws("secretsmanager").put_secret_value(SecretId=names["texts"], SecretString=json.dumps({"mail": text}))
        stage.write(VerificationMessage=_message(f"${{secretsmanager:{names['texts']}#mail}}"))
        stage.run("plan", "auth.json", "--format", "json", *stage.reports("plan"), code=1)
        stage.run("apply", "auth.json", *APPLY)


def references_that_lead_nowhere(stage: Stage) -> None:
    """What is stored is of the wrong kind, or not there, or stands where a plan must show what it does."""
    names = _stored(stage)
    stage.live()
    whole, apart = names["whole"], names["apart"]
    stage.aws("ssm").put_parameter(Name=f"{names['ssm']}/list", Type="StringList", Value=f"{NEW['Facebook']},b")
    stage.aws("secretsmanager").create_secret(Name=f"{whole}-b", SecretBinary=NEW["Google"].encode())
    for reference in (
        f"${{secretsmanager:{whole}#key}}",
        f"${{secretsmanager:{apart}#none}}",
        f"${{secretsmanager:{apart}#nested}}",
        f"${{secretsmanager:{whole}-none}}",
        f"${{secretsmanager:{whole}-b}}",
        f"${{ssm:{names['ssm']}/list}}",
        f"${{ssm:{names['ssm']}:7}}",
    ):
        stage.write(providers({**stage.references(), "Google": reference}))
        stage.run("plan", "auth.json", "--format", "json", *stage.reports("plan"), code=1)
    stage.write(length=f"${{ssm:{names['ssm']}}}")  # type: ignore[arg-type]
    stage.run("plan", "auth.json", *stage.reports("exposed"), code=1)
    stage.write(Mfa={"MFAMode": f"${{ssm:{names['ssm']}}}"})
    stage.run("plan", "auth.json", *stage.reports("exposed"), code=1)


def stores_that_say_too_much(stage: Stage) -> None:
    """SSM and Secrets Manager refuse, and say the value; or answer with it in a shape that is none."""
    stage.live()
    said = NEW["Google"]
    answers = (
        (400, {"__type": "AccessDeniedException", "message": f"not for you: {said}"}),
        (400, {"__type": "ParameterNotFound", "message": f"none is {said}"}),
        (400, {"__type": f"Odd{said}", "message": said}),
        (200, {"Parameter": {"Type": said, "Value": [said]}, "SecretString": [said]}),
    )
    for status, body in answers:
        told = status, json.dumps(body).encode()
        with serving(partial(_always, told)) as store:
            stage.variable("AWS_ENDPOINT_URL", store.url)
            for reference in ("${ssm:/shop/google}", "${secretsmanager:shop/google}"):
                stage.write(providers({**stage.references(), "Google": reference}))
                stage.run("plan", "auth.json", *stage.reports("plan"))


def over_http(stage: Stage) -> None:
    """The service is elsewhere: requests are signed with the user's credentials, and refused with them in the text."""
    stage.live()
    stage.switch(*CLEAR)
    stage.write(providers(stage.references()))
    said = f"The canonical string should have been 'x-amz-security-token:{SESSION_TOKEN}'"
    with stage.backend() as backend, serve(backend) as server:
        stage.run("plan", "auth.json", *stage.reports("plan"), endpoint=server.url, code=0)
        stage.run("apply", "auth.json", *APPLY, "--debug", endpoint=server.url, code=0)
        stage.faults(Fault("error", status=403, code="SignatureDoesNotMatch", text=said, times=0))
        stage.run("drift", "auth.json", *stage.reports("drift"), endpoint=server.url, code=5)
    stage.run("plan", "auth.json", "--debug", endpoint="http://127.0.0.1:9")


def a_token_with_a_line_end(stage: Stage) -> None:
    """The session token was read from a file, line end and all: no header may hold that, and Python quotes it."""
    stage.live()
    stage.write(providers(stage.references()))
    stage.variable("AWS_SESSION_TOKEN", f"{SESSION_TOKEN}\n")
    with stage.backend() as backend, serve(backend) as server:
        stage.run("plan", "auth.json", *stage.reports("plan"), endpoint=server.url)
        stage.run("apply", "auth.json", *APPLY, "--debug", endpoint=server.url)


def behind_a_proxy(stage: Stage) -> None:
    """The way to the service is a proxy that has a password, and is not there."""
    stage.secrets.add(PROXY)
    stage.live()
    stage.write(providers(stage.references()))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        stage.variable(name, f"http://user:{PROXY}@127.0.0.1:9")
    stage.variable("NO_PROXY", "")
    stage.variable("no_proxy", "")
    stage.run("plan", "auth.json", *stage.reports("plan"), endpoint="http://localhost:9")
    stage.run("apply", "auth.json", *APPLY, "--debug", endpoint="http://localhost:9")


def crash(stage: Stage) -> None:
    """Something breaks deep inside, where a secret is at hand."""
    stage.live()
    stage.switch(*CLEAR)
    stage.write(providers(stage.references()))
    for place in (
        "reconciler.core.request.overlay",
        "reconciler.core.diff.differences",
        "reconciler.render.rows._leaf",
    ):
        with stage.patch.context() as patch:
            patch.setattr(place, _break)
            stage.run("plan", "auth.json", *stage.reports("plan"))
            stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, "--format", "json")
    for place in ("reconciler.core.targetplan.request.build", "reconciler.operations.verify.judge"):
        with stage.patch.context() as patch:
            patch.setattr(place, _break_loudly)
            stage.run("apply", "auth.json", ALL_OF_IT, *APPLY, *stage.reports("apply"))


def printed_by_a_developer(stage: Stage) -> None:
    """Everything that a run holds is printed, formatted, logged, pickled, put into JSON, and shown in a traceback."""
    stage.live()
    stage.switch(*CLEAR)
    stage.write(providers(stage.references()))
    with stage.backend():
        pass
    services = Services(Connection(emulator=True), first_path="auth.json")
    loaded = services.load(["auth.json"], Selection(), stdin=lambda: b"", network=True)
    (desired,) = services.locate(loaded).desired
    made = plan((desired,), services.reader_of, now="2024-01-01T00:00:00Z")
    secret = next(one.value for one in desired.settings.values() if isinstance(one.value, Secret))
    live = read_live(services.reader_of(desired), desired, with_meta=True)
    key = Key(Secret(LEDGER_KEY))
    held = [secret, key, Proofs({}, key), desired, live, made, services.references.resolver, loaded]
    held += [Local(os.environ, Path(), Path()), Access()]
    held += [services.references, services, services.reader_of(desired), replace(desired), [secret], {"secret": secret}]
    texts: list[str] = []
    for thing in held:
        texts += [repr(thing), str(thing), f"{thing}", f"{thing!r:>9}", f"{[thing]}", ascii(thing)]
        for write in (pickle.dumps, json.dumps, partial(json.dumps, default=str)):
            try:
                texts.append(str(write(thing)))
            except Exception:  # noqa: BLE001 - a refusal is as good as a mask, and its traceback is looked at too
                texts.append("".join(traceback.format_exc()))
    texts.append(logging.LogRecord("a", 1, "b", 1, "%s and %r", (secret, desired), None).getMessage())
    printed = stage.folder / "written" / "printed"
    printed.parent.mkdir(exist_ok=True)
    printed.write_text("\n".join(texts), encoding="utf-8", errors="backslashreplace")


def _always(told: Answer, _asked: Asked) -> Answer:
    return told


def _break(*arguments: Any, **_more: Any) -> Any:
    secret = NEW["Google"]
    raise RuntimeError(f"deep inside, with {len(arguments)} arguments and a secret of the type {type(secret).__name__}")


def _break_loudly(*_arguments: Any, **_more: Any) -> Any:
    raise RuntimeError(f"deep inside, where an update may have been sent, with {NEW['Google']}")


def _stored(stage: Stage) -> dict[str, str]:
    """Store the new secrets, under names that no other test has."""
    stage.secrets |= HIDDEN
    mark = uuid.uuid4().hex
    ssm, manager = stage.aws("ssm"), stage.aws("secretsmanager")
    names = {"ssm": f"/{mark}/google", "key": f"/{mark}/apple", "sms": f"/{mark}/sms"}
    names |= {"whole": f"{mark}/amazon", "apart": f"{mark}/facebook", "texts": f"{mark}/texts"}
    for name, value in (("ssm", NEW["Google"]), ("key", NEW["SignInWithApple"]), ("sms", NEW_SMS)):
        ssm.put_parameter(Name=names[name], Type="SecureString", Value=value)
    manager.create_secret(Name=names["whole"], SecretString=NEW["LoginWithAmazon"])
    manager.create_secret(
        Name=names["apart"], SecretString=json.dumps({"app": {"secret": NEW["Facebook"]}, "nested": {"a": 1}})
    )
    manager.create_secret(Name=names["texts"], SecretString=json.dumps({"mail": NEW_MAIL, "id": NEW_ID}))
    return names


def _live_with_texts(stage: Stage) -> None:
    stage.live(
        OLD,
        VerificationMessage=_message(OLD_MAIL),
        ForgotPassword=_message(OLD_MAIL),
        Mfa={"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": OLD_SMS}},
    )
    stage.switch(*CLEAR)


def _write_texts(stage: Stage, names: Mapping[str, str]) -> None:
    social = providers(
        {
            "Google": f"${{ssm:{names['ssm']}}}",
            "Facebook": f"${{secretsmanager:{names['apart']}#app.secret}}",
            "LoginWithAmazon": f"${{secretsmanager:{names['whole']}}}",
            "SignInWithApple": f"${{ssm:{names['key']}:1}}",
        }
    )
    social["Google"]["ClientId"] = f"${{secretsmanager:{names['texts']}#id}}"
    stage.write(
        social,
        VerificationMessage=_message(f"${{secretsmanager:{names['texts']}#mail}}"),
        Mfa={"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": f"${{ssm:{names['sms']}}}"}},
    )


def _message(text: str) -> Mapping[str, Any]:
    return {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailMessage": text, "EmailSubject": "Your code"}}


def webhooks(stage: Stage) -> None:
    """Webhooks whose addresses hold a secret: they can't be reached, may not be told, or are written in clear."""
    hook, signs = canaries.short("the address of a webhook"), canaries.long("what signs for a webhook")
    stage.secrets |= {hook, signs}
    stage.live()
    stage.write(length=14)
    stage.variable("HOOK_SIGNS", signs)
    stage.patch.setattr(
        "reconciler.wiring.notifying.time",
        SimpleNamespace(sleep=lambda _seconds: None, monotonic=lambda: 0.0, time=lambda: 0.0),
    )
    text = "notify_hosts: [127.0.0.1]\nnotify:\n- {format: slack, url: '${env:HOOK}', secret: '${env:HOOK_SIGNS}'}\n"
    project = stage.plant("project/reconciler.yaml", text)
    for address in (f"http://127.0.0.1:9/{hook}", f"https://{hook}.example.com/", f"https://u:{hook}@127.0.0.1/", hook):
        stage.variable("HOOK", address)
        stage.run("drift", "auth.json", *stage.reports("drift"), code=2)
        stage.run("iam-policy", "auth.json", code=0)
    for broken in (f"url: https://h/{hook}\n", f"notify:\n- {{format: slack, url: https://h/{hook}, other: ]\n"):
        project.write_text(broken, encoding="utf-8")
        stage.run("drift", "auth.json", *stage.reports("drift"), code=1)


def _remote() -> Iterator[tuple[str, Callable[[Stage], None]]]:
    yield "everywhere at AWS", everywhere_at_aws
    yield "a hidden text moved", text_that_moved
    yield "a hidden text hides no more", text_that_hides_no_more
    yield "a hidden text breaks a rule", text_that_breaks_a_rule
    yield "references that lead nowhere", references_that_lead_nowhere
    yield "stores that say too much", stores_that_say_too_much
    yield "over HTTP", over_http
    yield "a token with a line end", a_token_with_a_line_end
    yield "behind a proxy", behind_a_proxy
    yield "webhooks", webhooks
    yield "crashed", crash
    yield "printed", printed_by_a_developer


REMOTE: Mapping[str, Callable[[Stage], None]] = dict(_remote())
