"""A rendered document describes exactly what was loaded, and tells where each value comes from."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.desired import Defaults, Loaded, load
from reconciler.config.render import render_documents
from reconciler.core.model import Desired, Setting
from reconciler.errors import Origin
from tests.laws.strategies import documents

CASES = Path(__file__).parents[2] / "cases" / "valid"
HEAD = "region: us-east-1\nAppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shopauth\n"


def read(path: str, text: str = "", root: Path | None = None) -> Loaded:
    return load([path], defaults=Defaults(), environ={}, stdin=text.encode, resolve=False, root=root)


def render(loaded: Loaded, *, origins: bool = False) -> str:
    assert not loaded.errors
    return render_documents(loaded, origins=origins)


def value_of(setting: Setting) -> Any:
    return tuple(map(value_of, setting.value)) if isinstance(setting.value, tuple) else setting.value


def meaning(loaded: Loaded) -> list[Any]:
    """Everything that a plan goes by."""

    def one(state: Desired) -> tuple[Any, ...]:
        managed = {path: value_of(setting) for path, setting in state.settings.items()}
        waived = [replace(waiver, origin=Origin("", 1, 1)) for waiver in state.waivers]
        return state.name, state.target, state.access, state.allow, dict(state.labels), managed, waived

    assert not loaded.errors
    return [one(state) for state in loaded.desired]


def write(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


# --- the same


@pytest.mark.parametrize("origins", [False, True])
@pytest.mark.parametrize("case", sorted(path for path in CASES.iterdir() if path.suffix != ".txt"), ids=str)
def test_every_valid_case_is_read_back_as_it_was(case: Path, origins: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    loaded = read(case.name, root=case if case.is_dir() else CASES)
    text = render(loaded, origins=origins)
    assert meaning(read("-", text)) == meaning(loaded)
    assert render(read("-", text)) == render(loaded)


KEYS = st.text(max_size=20) | st.sampled_from(["team", "a: b", "<<", "", "no", "1e3", "# x", "a\nb", "::x"])
TEXTS = st.text(alphabet=" a:#-'\"\\$\xe9\U0001f600", max_size=20) | st.sampled_from(
    ["$${env:X}", "${env:RECONCILER_VAR_X:-a b}", "a $${ ${file:x} }", "ON", "0x1", ""]
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, str]:
    """A document over a base."""
    base = {
        "labels": {
            key: text.replace("${ ", "") for key, text in draw(st.dictionaries(KEYS, TEXTS, max_size=3)).items()
        },
        "allow": draw(st.lists(st.sampled_from(["mfa-on", "unread-mfa"]), unique=True)),
        "ResourceConfig": draw(documents()).config,
    }
    above = {
        "extends": "base.json",
        "region": "us-east-1",
        "AppId": draw(st.sampled_from(["d2k7example", "123"])),
        "BackendEnvironmentName": draw(st.sampled_from(["prod", "1e3", "${env:RECONCILER_VAR_STAGE}"])),
        "ResourceName": "shopauth",
        "ResourceConfig": draw(documents()).config,
    }
    if draw(st.booleans()):
        above["name"] = draw(st.sampled_from(["shop-prod", "007", "null"]))
    return {"base.json": json.dumps(base), "auth.json": json.dumps(above)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layers")


@pytest.mark.broad
@settings(max_examples=150)
@given(files(), st.booleans())
def test_a_document_over_a_base_is_read_back_as_what_they_come_to(
    folder: Path, written: dict[str, str], origins: bool
) -> None:
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    loaded = read(str(folder / "auth.json"), root=folder)
    if not loaded.errors:  # two halves may not fit together
        text = render(loaded, origins=origins)
        assert meaning(read("-", text)) == meaning(loaded)


def test_references_stand_as_written_and_literals_stay_escaped() -> None:
    text = (
        HEAD + "labels: {a: '$${env:X}', b: '${env:RECONCILER_VAR_X:-a b}'}\n"
        "ResourceConfig: {UserPoolConfigs: {UserPoolName: 'a $${ ${file:x} b'}}\n"
    )
    rendered = render(read("-", text))
    assert '  a: "$${env:X}"\n  b: "${env:RECONCILER_VAR_X:-a b}"\n' in rendered
    assert '    UserPoolName: "a $${ ${file:x} b"\n' in rendered


def test_removals_and_empty_lists_stay_what_they_mean() -> None:
    pool = (
        "{OAuth: null, PasswordPolicy: {AdditionalConstraints: []}, RequiredSignUpAttributes: [], "
        "Mfa: {MFAMode: OFF, Settings: {MfaTypes: []}}}"
    )
    rendered = render(read("-", f"{HEAD}ResourceConfig: {{UserPoolConfigs: {pool}}}\n"))
    assert "    OAuth: null\n    PasswordPolicy:\n      AdditionalConstraints: []\n" in rendered
    assert "RequiredSignUpAttributes" not in rendered
    assert '    Mfa:\n      MFAMode: "OFF"\n    OAuth' in rendered


def test_what_was_merged_away_and_what_means_nothing_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    above = f"{HEAD}Error: null\nextends: base.yaml\nunmanaged: [UserPoolConfigs.OAuth]\nallow: []\n"
    base = "ResourceConfig: {Service: COGNITO, UserPoolConfigs: {OAuth: {DomainPrefix: x}}}\n"
    write({"auth.yaml": above, "base.yaml": base})
    assert render(read("auth.yaml", root=tmp_path)) == (
        f"name: shopauth-prod\n{HEAD}ResourceConfig:\n  Service: COGNITO\n"
    )


def test_an_empty_configuration_stays_empty() -> None:
    assert render(read("-", HEAD + "ResourceConfig: {}\n")).endswith("\nResourceConfig: {}\n")
    assert "ResourceConfig" not in render(read("-", HEAD))


@pytest.mark.parametrize("resource", ["x" * 125, "${env:RECONCILER_VAR_X}"])
def test_a_default_name_that_no_document_may_hold_is_left_to_be_the_default(resource: str) -> None:
    loaded = read("-", HEAD.replace("shopauth", resource) + "ResourceConfig: {Service: COGNITO}\n")
    rendered = render(loaded)
    assert "name:" not in rendered
    assert meaning(read("-", rendered)) == meaning(loaded)


# --- origins


def test_each_value_tells_the_place_that_won(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    base = """\
region: us-east-1
labels:
  team: web
ResourceConfig:
  UserPoolConfigs:
    PasswordPolicy:
      MinimumLength: 8
      AdditionalConstraints: [REQUIRE_DIGIT,
        REQUIRE_SYMBOL]
    VerificationMessage:
      EmailSettings:
        EmailMessage: |
          # Hello

          {####}
"""
    above = """\
# production
extends: ../base.yaml
AppId: d2k7example
BackendEnvironmentName: prod
ResourceName: shopauth
ResourceConfig:
  UserPoolConfigs:
    PasswordPolicy: {MinimumLength: 12}
    OAuth: null
    RequiredSignUpAttributes: []
"""
    write({"base.yaml": base, "env/prod.yaml": above})
    assert (
        render(read("env/prod.yaml", root=tmp_path), origins=True)
        == """\
name: shopauth-prod  # env/prod.yaml:2
region: us-east-1  # base.yaml:1
labels:
  team: web  # base.yaml:3
AppId: d2k7example  # env/prod.yaml:3
BackendEnvironmentName: prod  # env/prod.yaml:4
ResourceName: shopauth  # env/prod.yaml:5
ResourceConfig:
  UserPoolConfigs:
    OAuth: null  # env/prod.yaml:9
    PasswordPolicy:
      AdditionalConstraints:
        - REQUIRE_DIGIT  # base.yaml:8
        - REQUIRE_SYMBOL  # base.yaml:9
      MinimumLength: 12  # env/prod.yaml:8
    VerificationMessage:
      EmailSettings:
        EmailMessage: |  # base.yaml:12
          # Hello

          {####}
"""
    )


@pytest.mark.parametrize("name", ["a\nname: b #.yaml", "a\r\x85\u2028\x1b[2J\u202e.yaml", "a # b: {.yaml"])
def test_the_name_of_a_file_can_t_leave_its_comment(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write({name: HEAD + "ResourceConfig: {Service: COGNITO}\n"})
    loaded = read(name, root=tmp_path)
    plain, remarked = render(loaded).splitlines(), render(loaded, origins=True).splitlines()
    assert len(plain) == len(remarked)
    assert all(line.startswith(bare) for bare, line in zip(plain, remarked, strict=True))
    assert "".join(remarked).isprintable()
    assert meaning(read("-", "\n".join(remarked))) == meaning(loaded)
