"""What a waiver may say, in a document and in the project file, and each slip with its line and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reconciler.config.desired import Defaults, Loaded, load
from reconciler.config.project import read_project
from reconciler.errors import InputProblem

HEAD = "name: shop\nregion: us-east-1\nAppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shopauth\n"
CONFIG = "ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {MinimumLength: 12}}}\n"
WHO = "    owner: ada@example.com\n    reason: incident 4711\n    expires: 2026-12-31\n"
LENGTH = "  - path: UserPoolConfigs.PasswordPolicy.MinimumLength\n    value: 8\n    instead_of: 12\n" + WHO
REDIRECTS = "UserPoolConfigs.OAuth.RedirectSignInURIs"
BETA = f"  - path: {REDIRECTS}\n    member: https://beta.example.com/\n    value: present\n{WHO}"
IN_FLOW = "{path: Service, value: null, instead_of: COGNITO, owner: a, reason: b, expires: 2026-13-31}"
SECRET = "hunter2-and-more"


def read(root: Path, waivers: str, *, config: str = CONFIG, project: str = "") -> Loaded:
    (root / "auth.yaml").write_text(f"{HEAD}{config}{waivers}", encoding="utf-8")
    if project:
        (root / "reconciler.yaml").write_text(project, encoding="utf-8")
    return load([str(root / "auth.yaml")], defaults=Defaults(), environ={}, root=root, project=read_project(root))


def accepted(loaded: Loaded) -> list[tuple[str, object, object]]:
    assert loaded.diagnostics == ()
    (state,) = loaded.desired
    return [(waiver.path[-1], waiver.value, waiver.instead_of) for waiver in state.waivers]


def test_a_document_waives_a_setting_and_a_member_of_a_list(tmp_path: Path) -> None:
    loaded = read(tmp_path, f"waivers:\n{LENGTH}{BETA}")
    assert accepted(loaded) == [("MinimumLength", 8, 12), ("https://beta.example.com/", True, None)]
    first = loaded.desired[0].waivers[0]
    assert (first.owner, first.reason, first.expires) == ("ada@example.com", "incident 4711", date(2026, 12, 31))
    assert (first.origin.line, first.origin.column) == (8, 11)


def test_whole_numbers_quotes_and_missing_members_are_read_as_they_are_meant(tmp_path: Path) -> None:
    text = LENGTH.replace("value: 8", "value: 8.0").replace("2026-12-31", "'2026-12-31'")
    loaded = read(tmp_path, f"waivers:\n{text}{BETA.replace('present', 'absent')}")
    assert accepted(loaded) == [("MinimumLength", 8, 12), ("https://beta.example.com/", None, True)]


def test_waivers_of_a_base_hold_until_the_document_writes_its_own(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(f"ResourceConfig: {{}}\nwaivers:\n{LENGTH}", encoding="utf-8")
    assert accepted(read(tmp_path, "extends: base.yaml\n")) == [("MinimumLength", 8, 12)]
    assert accepted(read(tmp_path, "extends: base.yaml\nwaivers: []\n")) == []


def test_the_project_file_waives_for_all_targets_and_for_those_that_fit(tmp_path: Path) -> None:
    indented = "".join(f"    {line}\n" for line in BETA.splitlines())
    project = f"waivers:\n{LENGTH}overrides:\n  - match: {{name: NAME}}\n    waivers:\n{indented}"
    own = f"waivers:\n{LENGTH}"
    assert [path for path, *_ in accepted(read(tmp_path, own, project=project.replace("NAME", "sh*")))] == [
        "MinimumLength",
        "MinimumLength",
        "https://beta.example.com/",
    ]
    assert len(accepted(read(tmp_path, "", project=project.replace("NAME", "other")))) == 1


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("MinimumLength", "MinimumLenght", "unknown-path", 8),
        ("UserPoolConfigs.Pass", "ResourceConfig.UserPoolConfigs.Pass", "unknown-path", 8),
        (".MinimumLength", "", "bad-waiver", 8),
        ("value: 8", "value: '8'", "wrong-type", 9),
        ("value: 8", "value: 8.5", "wrong-type", 9),
        ("value: 8", "value: true", "wrong-type", 9),
        ("value: 8", "value: [8]", "wrong-type", 9),
        ("value: 8", "value: 12", "bad-waiver", 9),
        ("    value: 8\n", "", "missing-key", 8),
        ("instead_of: 12", "instead_of: twelve", "wrong-type", 10),
        ("    instead_of: 12\n", "", "missing-key", 8),
        ("    owner: ada@example.com\n", "", "missing-key", 8),
        ("    reason: incident 4711\n", "", "missing-key", 8),
        ("    expires: 2026-12-31\n", "", "missing-key", 8),
        ("reason: incident 4711", 'reason: "a\\nb"', "control-character", 12),
        ("expires: 2026-12-31", "expires: 2026-02-30", "bad-date", 13),
        ("expires: 2026-12-31", "expires: 31.12.2026", "bad-date", 13),
        ("expires: 2026-12-31", "expires: 20261231", "wrong-type", 13),
        ("    owner:", "    member: x\n    owner:", "bad-waiver", 11),
        ("    owner:", "    ticket: x\n    owner:", "unknown-key", 11),
    ],
)
def test_each_slip_is_told_with_its_line(tmp_path: Path, old: str, new: str, code: str, line: int) -> None:
    assert LENGTH.count(old) == 1
    loaded = read(tmp_path, f"waivers:\n{LENGTH.replace(old, new)}")
    assert [(found.code, found.origin and found.origin.line) for found in loaded.diagnostics] == [(code, line)]
    assert loaded.desired == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("    member: https://beta.example.com/\n", "", "bad-waiver", 8),
        ("value: present", "value: true", "bad-waiver", 10),
        ("value: present", "value: present\n    instead_of: null", "bad-waiver", 11),
        ("OAuth.RedirectSignInURIs", "OAuth.OAuthScopes", "not-allowed-value", 9),
    ],
)
def test_a_member_is_waived_as_present_or_absent(tmp_path: Path, old: str, new: str, code: str, line: int) -> None:
    assert BETA.count(old) == 1
    loaded = read(tmp_path, f"waivers:\n{BETA.replace(old, new)}")
    assert [(found.code, found.origin and found.origin.line) for found in loaded.diagnostics] == [(code, line)]


@pytest.mark.parametrize("waivers", ["waivers: soon\n", "waivers:\n  - soon\n"])
def test_waivers_are_a_list_of_mappings(tmp_path: Path, waivers: str) -> None:
    assert [found.code for found in read(tmp_path, waivers).diagnostics] == ["wrong-type"]


def test_a_choice_that_does_not_exist_is_told(tmp_path: Path) -> None:
    item = "  - path: UserPoolConfigs.Mfa.MFAMode\n    value: OF\n    instead_of: ON\n"
    (found,) = read(tmp_path, f"waivers:\n{item}{WHO}").diagnostics
    assert (found.code, found.hint) == ("not-allowed-value", "did you mean 'OFF'?")


def test_the_same_difference_is_waived_once(tmp_path: Path) -> None:
    (found,) = read(tmp_path, f"waivers:\n{LENGTH}{BETA}{LENGTH}").diagnostics
    assert (found.code, found.origin and found.origin.line) == ("duplicate-waiver", 20)


@pytest.mark.parametrize(
    "item",
    [
        "  - path: {secret}\n    value: {value}\n    instead_of: null\n" + WHO,
        "  - {{value: {value}, path: {secret}, owner: a, reason: b, expires: 2026-12-31}}\n",
        "  - {{value: [{value}], path: {secret}}}\n",
        "  - path: {secret}\n    valu: {value}\n",
        "  - {{instead_of: {{a: {value}}}, path: {secret}, value: {value}}}\n",
    ],
)
def test_a_secret_is_never_waived_and_never_shown(tmp_path: Path, item: str) -> None:
    path = "UserPoolConfigs.OAuth.SocialProviderSettings.Google.ClientSecret"
    loaded = read(tmp_path, "waivers:\n" + item.format(secret=path, value=SECRET))
    assert "waiver-on-secret" in [found.code for found in loaded.diagnostics]
    assert SECRET not in repr(loaded.diagnostics)
    (tmp_path / "reconciler.yaml").write_text("waivers:\n" + item.format(secret=path, value=SECRET), encoding="utf-8")
    with pytest.raises(InputProblem) as caught:
        read_project(tmp_path)
    assert "waiver-on-secret" in [found.code for found in caught.value.diagnostics]
    assert SECRET not in repr(caught.value.diagnostics)


def test_a_text_that_comes_from_a_store_of_secrets_is_not_waived_either(tmp_path: Path) -> None:
    subject = "VerificationMessage: {DeliveryMethod: EMAIL, EmailSettings: {EmailSubject: '${ssm:/subject}'}}"
    config = f"ResourceConfig: {{UserPoolConfigs: {{{subject}}}}}\n"
    path = "UserPoolConfigs.VerificationMessage.EmailSettings.EmailSubject"
    item = f"waivers:\n  - path: {path}\n    value: a\n    instead_of: b\n{WHO}"
    (of_document,) = read(tmp_path, item, config=config).diagnostics
    assert (of_document.code, of_document.origin and of_document.origin.line) == ("waiver-on-secret", 8)
    (of_project,) = read(tmp_path, "", config=config, project=item).diagnostics
    assert (of_project.code, of_project.origin and of_project.origin.line) == ("waiver-on-secret", 2)


@pytest.mark.parametrize(
    ("project", "line"),
    [
        (f"waivers:\n{LENGTH.replace('12-31', '13-31')}", 7),
        (f"overrides:\n  - match: {{name: a}}\n    waivers:\n      - {IN_FLOW}\n", 4),
    ],
)
def test_slips_of_the_project_file_are_told_as_well(tmp_path: Path, project: str, line: int) -> None:
    (tmp_path / "reconciler.yaml").write_text(project, encoding="utf-8")
    with pytest.raises(InputProblem) as caught:
        read_project(tmp_path)
    (found,) = caught.value.diagnostics
    assert (found.code, found.origin and found.origin.line) == ("bad-date", line)
