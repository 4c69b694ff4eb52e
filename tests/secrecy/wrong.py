"""Secrets where none may be, and files that are damaged round one: what is wrong is told, and the secret is not."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from reconciler.emulator import serve
from tests.secrecy import canaries
from tests.secrecy.stage import ALL_OF_IT, APPLY, HEAD, NEW, Stage, providers

CLEAR = canaries.short("written in clear")
OTHER = canaries.long("written in clear")

_BELOW_GOOGLE: Mapping[str, str] = {
    "a valid field": "          ClientSecret: {}",
    "double quotes": '          ClientSecret: "{}"',
    "a block of text": "          ClientSecret: |\n            {}",
    "a folded line": "          ClientSecret:\n            {}",
    "two quoted lines": "          ClientSecret: 'first\n\n  {}'",
    "a misspelt key": "          ClientSceret: {}",
    "another spelling": "          client_secret: {}",
    "a key of another block": "          PrivateKey: {}",
    "a list": "          ClientSecret: [{}]",
    "items": "          ClientSecret:\n          - {}",
    "a mapping": "          ClientSecret: {{value: one,\n other: {}}}",
    "a default": "          ClientSecret: ${{env:NOWHERE:-{}}}",
    "beside a reference": "          ClientSecret: ${{env:HOME}}{}",
    "an open reference": "          ClientSecret: ${{env:{}",
    "an unknown scheme": "          ClientSecret: ${{vault:{}}}",
    "an escape": "          ClientSecret: $${{{}}}",
    "an explicit key": "          ? ClientSecret\n          : {}",
    "an escaped key": '          "\\x43lientSecret": {}',
    "a tag": "          ClientSecret: !!binary {}",
    "a wrong type": "          ClientSecret: !!int {}",
    "an anchor": "          ClientId: &kept {}\n          ClientSecret: *kept",
    "an alias": "          ClientSecret: &kept {}\n          ClientId: *kept\n          Unknown: *kept",
    "a duplicate": "          ClientSecret: {}\n          ClientSecret: {}",
    "several lines, broken": "          ClientSecret:\n            {}: bad: worse",
    "a quote over lines, broken": '          ClientSecret: "first\n key: {} \\q"',
    "a reference beside it, broken": "          ClientSecret: ${{env:NOWHERE}}, KeyId: ]{}",
    "a tab behind it": "          ClientSecret: {}\n\t\tKeyId: 1",
    "an open quote": '          ClientSecret: "{}',
    "an open bracket": "          ClientSecret: [{}\n          ClientId: {{",
    "no space": "          ClientSecret:{}",
    "a control character": "          ClientSecret: {}\x07",
    "a comment": "          ClientId: 5 # ClientSecret: {}",
}
"""Ways to write a secret below a provider; ``{}`` stands for it."""
_FLOW: Mapping[str, str] = {
    "flow style": "        Google: {{ClientId: [], ClientSecret: {}}}",
    "flow style without a space": "        Google: {{ClientId: a, ClientSecret:{}}}",
    "flow style with an equals sign": "        Google: {{ClientId: a, ClientSecret={}}}",
    "flow style over lines": "        Google: {{ClientSecret:\n {}, ClientId: []}}",
    "flow style that is not closed": "        Google: {{ClientId: a, ClientSecret: {}",
    "a default behind what is wrong": "        Google: {{ClientId: ], ClientSecret: ${{env:NOWHERE:-{}}}}}",
    "an alias behind what is wrong": "        Google: {{Id: &kept {}, Bad: ]}}\n        Apple: {{ClientSecret: *kept}}",
    "an unknown provider": "        Twitter: {{ClientSecret: {}}}",
    "a merge key": "        <<: {{ClientSecret: {}}}",
}

_WHO = "owner: ada, reason: later, expires: 2026-12-31"
_WAIVERS: Mapping[str, str] = {
    "sound but for that": f"  - {{{{path: {{path}}, value: {{secret}}, instead_of: null, {_WHO}}}}}\n",
    "before its path": f"  - {{{{value: {{secret}}, path: {{path}}, {_WHO}}}}}\n",
    "a list": "  - path: {path}\n    value: [{secret}]\n",
    "a misspelt key": "  - path: {path}\n    valeu: {secret}\n",
    "a member": "  - path: {path}\n    member: {secret}\n    value: [present]\n",
    "broken": "  - path: {path}\n    value: {secret}: bad: worse\n",
    "an open quote": '  - path: {path}\n    instead_of: "{secret}\n',
}
"""Ways to waive a secret; each is refused."""

_HEAD = (
    "".join(f"{key}: {value}\n" for key, value in HEAD.items())
    + "ResourceConfig:\n  UserPoolConfigs:\n    OAuth:\n      SocialProviderSettings:\n"
)


_CODES: Mapping[str, int] = {
    "ledger_key: ${file:key}": 64,
    "ledger_key: ${file:../outside/key}": 0,
    "ledger_key: ${env:SHOP_KEY}": 0,
}
"""How a plan ends where the project file's line is no error."""


def in_clear(stage: Stage, text: str) -> None:
    """A document with a secret in clear goes through every command that reads documents."""
    stage.secrets |= {CLEAR, OTHER}
    secret = OTHER if "{}'" in text else CLEAR
    stage.plant("project/auth.yaml", _HEAD + text.replace("{}", secret).replace("{{", "{").replace("}}", "}") + "\n")
    _read_by_all(stage, "auth.yaml")


def in_a_waiver(stage: Stage, text: str) -> None:
    """A waiver writes the secret that it would be for, in the document and in the project file."""
    stage.secrets.add(CLEAR)
    stage.live()
    path = "UserPoolConfigs.OAuth.SocialProviderSettings.Google.ClientSecret"
    written = "waivers:\n" + text.format(path=path, secret=CLEAR)
    head = "".join(f"{key}: {value}\n" for key, value in HEAD.items())
    stage.plant("project/auth.yaml", f"{head}ResourceConfig: {{Service: COGNITO}}\n{written}")
    _read_by_all(stage, "auth.yaml")
    stage.plant("project/reconciler.yaml", written)
    stage.write()
    _read_by_all(stage, "auth.json")


def in_a_base(stage: Stage) -> None:
    """A base holds the secret, and a document lays itself over it."""
    stage.secrets.add(CLEAR)
    stage.plant("project/base.yaml", _written({"ClientId": "a", "ClientSecret": CLEAR}))
    stage.save({"extends": "base.yaml", **HEAD})
    _read_by_all(stage, "auth.json")


def through_standard_input(stage: Stage) -> None:
    """A document with a secret in clear comes through standard input."""
    stage.secrets.add(CLEAR)
    text = _HEAD + f"        Google:\n          ClientSceret: {CLEAR}\n          ClientSecret: [{CLEAR}]\n"
    for arguments in (("validate", "-", "--format", "json"), ("plan", "-")):
        stage.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        stage.run(*arguments, *stage.reports("input"), code=1)


def in_the_input_of_the_aws_cli(stage: Stage) -> None:
    """What people have for the AWS CLI has secrets in it, also on one line."""
    stage.secrets.add(OTHER)
    document = {key: value for key, value in HEAD.items() if key not in {"name", "region"}}
    config = {"UserPoolConfigs": {"OAuth": {"SocialProviderSettings": providers({**NEW, "Google": OTHER})}}}
    for indent in (None, 2):
        stage.plant("project/input.json", json.dumps({**document, "ResourceConfig": config}, indent=indent))
        _read_by_all(stage, "input.json")


def in_the_project_file(stage: Stage) -> None:
    """The ledger's key stands in the project file, in clear or as good as."""
    key = f"{CLEAR}{OTHER}"
    stage.secrets |= {CLEAR, OTHER, key}
    stage.live()
    stage.write(providers(stage.references()))
    stage.variable("RECONCILER_LEDGER_KEY", "")
    for line in (
        f"ledger_key: '{key}'",
        f"ledger_keys: '{key}'",
        f"ledger_key: ${{env:NOWHERE:-{CLEAR}}}",
        f"ledger_key:{CLEAR}",
        f"ledger_key: [{CLEAR}]",
        f'ledger_key: "{CLEAR}',
        f"{{ledger_key:{CLEAR}}}",
        f"overrides: [{{match: {{name: shop}}, client_secret: {CLEAR}}}]",
        f"overrides: [{{match: {{labels: {{token: '{OTHER}'}}}}}}]",
        f"env_names: [SHOP_KEY]\nsession_token: {CLEAR}",
        "ledger_key: ${file:key}",
        "ledger_key: ${file:../outside/key}",
        "ledger_key: ${env:SHOP_KEY}",
    ):
        stage.plant("project/key", key)
        stage.plant("outside/key", key)
        stage.variable("SHOP_KEY", key)
        stage.plant("project/reconciler.yaml", f"{line}\n")
        with stage.backend() as backend, serve(backend) as server:
            stage.run("plan", "auth.json", *stage.reports("plan"), endpoint=server.url, code=_CODES.get(line, 1))
            stage.run("history", "--format", "json", "--debug", endpoint=server.url)


def a_key_that_is_too_short(stage: Stage) -> None:
    """The ledger's key has fewer bytes than it must have."""
    stage.secrets.add(CLEAR)
    stage.live()
    stage.write(providers(stage.references()))
    stage.variable("RECONCILER_LEDGER_KEY", CLEAR)
    stage.run("plan", "auth.json", "--debug", code=64)


def in_a_plan(stage: Stage) -> None:
    """A saved plan is edited, or breaks off, where somebody wrote a secret into it."""
    stage.secrets |= {CLEAR, OTHER}
    stage.live()
    stage.switch("secrets=clear", "apple_key=clear")
    stage.write(providers(stage.references()))
    stage.run("plan", "auth.json", "--out", "saved.plan", code=0)
    saved = (stage.project / "saved.plan").read_text(encoding="utf-8")
    whole = saved.replace("${env:SHOP_GOOGLE}", OTHER)
    for text in (whole, whole[: whole.index(OTHER) + 20]):
        stage.plant("project/edited.plan", text)
        for arguments in (("show", "edited.plan", "--format", "json"), ("apply", "edited.plan", *APPLY, "--debug")):
            stage.run(*arguments, code=3)
        stage.run("plan", "edited.plan", "--debug")


def in_the_ledger(stage: Stage) -> None:
    """A record, or a journal, holds a secret where a word stands for one."""
    stage.secrets |= {CLEAR, OTHER}
    stage.live()
    stage.switch("secrets=clear", "apple_key=clear")
    stage.write(providers(stage.references()))
    stage.run("apply", "auth.json", *APPLY, code=0)
    for kept in (*stage.ledger.glob("runs/*/*.json"), *stage.ledger.glob("journal/*.json")):
        whole = kept.read_bytes()
        for damaged in _damaged(json.loads(whole)):
            stage.planted.add(kept)
            kept.write_bytes(damaged)
            stage.run("history", "--format", "json", *stage.reports("history"))
            stage.run("history", kept.parent.name, *stage.reports("history-run"))
            stage.run("plan", "auth.json", *stage.reports("plan"))
            kept.write_bytes(whole)


def behind_a_reference(stage: Stage, path: str, text: str, value: bytes) -> None:
    """What a reference points to can't be what its place wants."""
    stage.secrets |= {CLEAR, OTHER}
    stage.live()
    stage.plant("outside/value", value)
    stage.plant("project/value", value)
    stage.plant("project/.hidden", value)
    for name in ("SHOP", "RECONCILER_VAR_SHOP"):
        stage.variable(name, value.decode(errors="surrogateescape").replace("\0", ""))
    nested: Any = text
    for part in reversed(path.split(".")):
        nested = {part: nested}
    stage.write_pool(nested)
    _read_by_all(stage, "auth.json")


def _damaged(body: dict[str, Any]) -> Iterator[bytes]:
    yield json.dumps(body).encode()[:-40] + CLEAR.encode()
    yield json.dumps({**body, "record_version": OTHER}).encode()
    yield json.dumps({**body, "open": OTHER}).encode()
    for key in ("live", "planned"):
        if "plan" in body:
            changed = json.loads(json.dumps(body))
            social = changed["plan"][key]["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]
            social["Google"]["ClientSecret"] = OTHER
            yield json.dumps(changed).encode()
    for key, members in (("changes", ("before", "after")), ("desired", ("value",))):
        for member in members if "plan" in body else ():
            changed = json.loads(json.dumps(body))
            for entry in changed["plan"][key]:
                if entry["path"][-1] in {"ClientSecret", "PrivateKey"}:
                    entry[member] = OTHER
            yield json.dumps(changed).encode()


def _written(google: Mapping[str, Any]) -> str:
    return json.dumps(
        {"ResourceConfig": {"UserPoolConfigs": {"OAuth": {"SocialProviderSettings": {"Google": google}}}}}
    )


def _read_by_all(stage: Stage, name: str) -> None:
    stage.run("validate", name, *stage.reports("validate"))
    stage.run("validate", name, "--format", "markdown", "--strict")
    stage.run("render", name, "--origins")
    stage.run("targets", name, "--format", "json", *stage.reports("targets"))
    stage.run("waivers", name, "--format", "json", *stage.reports("waivers"))
    stage.run("drift", name, *stage.reports("drift"))
    stage.from_python(name)
    stage.run("plan", name, "--format", "json", *stage.reports("plan"))
    stage.run("apply", name, ALL_OF_IT, *APPLY, "--verbose")


def _wrong() -> Iterator[tuple[str, Callable[[Stage], None]]]:
    for name, text in _BELOW_GOOGLE.items():
        yield f"in clear, {name}", partial(in_clear, text=f"        Google:\n{text}")
    for name, text in _FLOW.items():
        yield f"in clear, {name}", partial(in_clear, text=text)
    for name, text in _WAIVERS.items():
        yield f"in clear, a waiver, {name}", partial(in_a_waiver, text=text)
    yield "in clear, a base", in_a_base
    yield "in clear, standard input", through_standard_input
    yield "in clear, the AWS CLI's input", in_the_input_of_the_aws_cli
    yield "in clear, the project file", in_the_project_file
    yield "a short key", a_key_that_is_too_short
    yield "in a plan", in_a_plan
    yield "in the ledger", in_the_ledger
    length, secret = "PasswordPolicy.MinimumLength", "OAuth.SocialProviderSettings.Google.ClientSecret"
    message, mode = "VerificationMessage.EmailSettings.EmailMessage", "Mfa.MFAMode"
    odd = CLEAR.encode() + b"\xff\xfe" + OTHER.encode()
    for name, path, text, value in (
        ("no number", length, "${env:RECONCILER_VAR_SHOP}", OTHER.encode()),
        ("no choice", mode, "${env:RECONCILER_VAR_SHOP}", OTHER.encode()),
        ("no UTF-8 in a file", secret, "${file:../outside/value}", odd),
        ("no UTF-8 in a variable", secret, "${env:SHOP}", odd),
        ("too large", secret, "${file:../outside/value}", OTHER.encode() * 40_000),
        ("white space", secret, "${env:SHOP}", f"{OTHER}\n".encode()),
        ("a whole object", secret, "${env:SHOP}", f'{{"secret": "{CLEAR}"}}'.encode()),
        ("a mask", secret, "${env:SHOP}", b"****"),
        ("empty", secret, "${env:SHOP}", b"  "),
        ("the runner's", message, "${env:SHOP}", OTHER.encode()),
        ("outside", message, "${file:../outside/value}", OTHER.encode()),
        ("hidden", message, "${file:.hidden}", OTHER.encode()),
        ("unset", secret, "${env:SHOP_OTHER}", OTHER.encode()),
        ("missing", secret, "${file:elsewhere}", OTHER.encode()),
    ):
        yield f"a reference, {name}", partial(behind_a_reference, path=path, text=text, value=value)


WRONG: Mapping[str, Callable[[Stage], None]] = dict(_wrong())
