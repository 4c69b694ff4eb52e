"""A mask tells nothing of what is behind it: no length, no beginning, and nothing of what is equal elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.secrecy import canaries
from tests.secrecy.stage import ALL_OF_IT, APPLY, OLD, Stage, providers

READINGS = ((), ("secrets=clear", "apple_key=clear"), ("secrets=masked", "apple_key=masked", "mask=stars"))
_FLEETING = (
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{9}"), "a run"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "a time"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "a job"),
    (re.compile(r'seconds":\s*[\d.]+'), "seconds"),
    (re.compile(r"\b\d+\.\d+s\b|\b\d+s elapsed"), "a while"),
    (re.compile(r'digest(?:":\s*"sha256:| <code>sha256&#58;)[0-9a-f]{64}'), "a digest, of the time too"),
)


@pytest.mark.parametrize("switches", READINGS, ids=["absent", "clear", "masked"])
def test_secrets_of_every_length_and_beginning_look_the_same(stage: Stage, switches: tuple[str, ...]) -> None:
    stage.variable("RECONCILER_LEDGER_KEY", "")
    few = {name: canaries.short(f"few {name}") for name in OLD} | {"SignInWithApple": OLD["SignInWithApple"]}
    many = {name: canaries.long(f"many {name}") * 7 for name in OLD}
    many["SignInWithApple"] = canaries.pem("many").replace("=", "")
    assert _written(stage, few, switches) == _written(stage, many, switches)


@pytest.mark.parametrize("where", ["ClientId", "DomainPrefix"])
def test_what_equals_a_secret_elsewhere_is_shown_there_and_hidden_at_the_secret(stage: Stage, where: str) -> None:
    same = f"shop{canaries.short('the same').lower()}"
    stage.live(dict.fromkeys(("Google", "Facebook", "LoginWithAmazon"), same) | {"SignInWithApple": same})
    stage.switch("secrets=clear")
    stage.variable("SHOP_SAME", same)
    google = {"ClientId": same if where == "ClientId" else "google-2", "ClientSecret": "${env:SHOP_SAME}"}
    oauth: dict[str, Any] = {"SocialProviderSettings": {"Google": google}}
    if where == "DomainPrefix":
        oauth["DomainPrefix"] = same
    stage.write_pool({"OAuth": oauth})
    stage.run("plan", "auth.json", ALL_OF_IT, *stage.reports("plan"), code=0)
    assert f'{where} = "' in _text(stage.project / "plan.text")
    assert f'"{same}"' in _text(stage.project / "plan.text")
    assert same in _text(stage.project / "plan.markdown")
    body = json.loads(_text(stage.project / "plan.json"))
    assert [place for place in _places(body) if place[1] == same]
    assert {place[0] for place in _places(body) if place[1] == same} == {where}


def _written(stage: Stage, secrets: Mapping[str, str], switches: tuple[str, ...]) -> list[str]:
    """Everything that a plan, an apply and a look back write, without what is another in each run."""
    stage.live(secrets)
    stage.switch(*switches)
    for name, secret in secrets.items():
        stage.variable(f"SHOP_{name}", secret[::-1])
    stage.write({**providers({name: f"${{env:SHOP_{name}}}" for name in secrets}), "LoginWithAmazon": None})
    began = len(stage.results)
    stage.run("plan", "auth.json", ALL_OF_IT, "--out", "saved.plan", *stage.reports("plan"), code=0)
    stage.run("apply", "saved.plan", *APPLY, *stage.reports("apply"), code=0)
    stage.run("history", "--format", "json", *stage.reports("history"))
    files = [path for place in (stage.project.glob("*.*"), stage.ledger.rglob("*.json")) for path in sorted(place)]
    texts = [text for result in stage.results[began:] for text in result]
    texts += [_text(path) for path in files if path.is_file()]
    shutil.rmtree(stage.ledger)
    return [_lasting(text) for text in texts]


def _lasting(text: str) -> str:
    for pattern, word in _FLEETING:
        text = pattern.sub(word, text)
    return re.sub(r"request [0-9a-f-]{36}|request a job", "request", text)


def _places(node: Any, name: str = "") -> list[tuple[str, Any]]:
    """Each leaf of JSON data, with the key that it stands at."""
    if isinstance(node, dict) and "path" in node:
        name = str(node["path"][-1]) if isinstance(node["path"], list) else name
        return [place for below in node.values() for place in _places(below, name)]
    if isinstance(node, dict):
        return [place for key, below in node.items() for place in _places(below, key)]
    if isinstance(node, list):
        return [place for below in node for place in _places(below, name)]
    return [(name, node)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
