"""References become secrets and values; nothing else of the environment or the disk can get out."""

from pathlib import Path

import pytest

from reconciler.config.codes import CODES as CONFIG_CODES
from reconciler.core.model import Access, Desired, Setting, Target
from reconciler.core.model import Path as SettingPath
from reconciler.core.references import Template, parse_references
from reconciler.core.secret import Secret
from reconciler.errors import Diagnostic, Origin
from reconciler.secrets import CODES, Resolver

GOOGLE: SettingPath = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google")
SECRET: SettingPath = (*GOOGLE, "ClientSecret")
APPLE: SettingPath = (*GOOGLE[:-1], "SignInWithApple", "PrivateKey")
CLIENT: SettingPath = (*GOOGLE, "ClientId")
LENGTH: SettingPath = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
GUESTS: SettingPath = ("IdentityPoolConfigs", "UnauthenticatedLogin")
SCOPES: SettingPath = ("UserPoolConfigs", "OAuth", "OAuthScopes")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


def template(text: str) -> Template:
    parsed = parse_references(text)
    assert isinstance(parsed, Template)
    return parsed


def written(project: Path, path: SettingPath, *texts: str) -> Desired:
    origin = Origin(str(project / "auth.yaml"), 3, 7)
    if path == SCOPES:
        items = (Setting("OPENID", origin), *(Setting(template(text), origin) for text in texts))
        settings = {path: Setting(items, origin)}
    else:
        settings = {path: Setting(template(texts[0]), origin)}
    settings["Service",] = Setting("COGNITO", origin)
    target = Target("app", "prod", "auth", "us-east-1")
    return Desired("shop", target, Access(), settings, origin)


def expanded(project: Path, path: SettingPath, text: str, **environ: str) -> object:
    resolver = Resolver(environ, project)
    desired, problems = resolver.expand(written(project, path, text))
    assert problems == ()
    return desired.settings[path].value


def refused(project: Path, path: SettingPath, text: str, **environ: str) -> Diagnostic:
    before = written(project, path, text)
    desired, (problem,) = Resolver(environ, project).expand(before)
    assert desired.settings == before.settings
    assert problem.target == "shop"
    assert problem.origin == before.settings[path].origin
    assert "hunter2" not in str(problem)
    return problem


def test_a_secret_may_come_from_any_variable_and_keeps_its_reference(project: Path) -> None:
    value = expanded(project, SECRET, "${env:GOOGLE}", GOOGLE="hunter2-hunter2")
    assert value == Secret("hunter2-hunter2")
    assert isinstance(value, Secret)
    assert value.source == "${env:GOOGLE}"


def test_a_secret_may_be_put_together(project: Path) -> None:
    assert expanded(project, SECRET, "a-${env:X}-$${b}", X="1") == Secret("a-1-${b}")


def test_a_file_loses_one_line_end_and_may_lie_anywhere_for_a_secret(project: Path) -> None:
    (project.parent / "key.p8").write_bytes(b"-----BEGIN-----\nhunter2\n\r\n")
    assert expanded(project, APPLE, "${file:../key.p8}") == Secret("-----BEGIN-----\nhunter2\n")


def test_another_field_takes_only_variables_that_are_meant_for_it(project: Path) -> None:
    assert expanded(project, CLIENT, "${env:RECONCILER_VAR_ID}", RECONCILER_VAR_ID="a") == "a"
    assert expanded(project, CLIENT, "${env:RECONCILER_VAR_OPENED}", RECONCILER_VAR_OPENED="b") == "b"
    assert refused(project, CLIENT, "${env:HOME}", HOME="hunter2").code == "reference-not-allowed"
    assert refused(project, CLIENT, "${env:HOME:-x}", HOME="hunter2").code == "reference-not-allowed"


def test_another_field_takes_only_files_of_the_project(project: Path) -> None:
    (project / "id.txt").write_text("a\n")
    (project.parent / "outside.txt").write_text("hunter2")
    (project / "link.txt").symlink_to(project.parent / "outside.txt")
    assert expanded(project, CLIENT, "${file:id.txt}") == "a"
    assert refused(project, CLIENT, "${file:../outside.txt}").code == "reference-not-allowed"
    assert refused(project, CLIENT, "${file:link.txt}").code == "reference-not-allowed"
    assert refused(project, CLIENT, f"${{file:{project.parent}/outside.txt}}").code == "reference-not-allowed"


def test_an_empty_variable_counts_as_unset_for_a_default_only(project: Path) -> None:
    assert expanded(project, CLIENT, "${env:RECONCILER_VAR_OPENED:-x}", RECONCILER_VAR_OPENED="") == "x"
    assert expanded(project, CLIENT, "${env:RECONCILER_VAR_OPENED}", RECONCILER_VAR_OPENED="") == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("${env:NOWHERE}", "unset-reference"),
        ("${file:nowhere}", "unset-reference"),
        ("${file:.}", "unreadable-reference"),
        ("${file:latin}", "unreadable-reference"),
        ("${file:large}", "unreadable-reference"),
        ("${file:a\0b}", "unreadable-reference"),
        ("${env:HALF}", "unreadable-reference"),
        ("${env:EMPTY}", "empty-secret"),
        ("${env:BLANK}", "empty-secret"),
        ("${env:MASK}", "masked-secret"),
        ("${env:WORD}", "masked-secret"),
        ("${env:OBJECT}", "bad-secret"),
        ("${env:LINE}", "bad-secret"),
        ("${env:SPACE}", "bad-secret"),
    ],
)
def test_a_secret_that_can_not_be_had_is_an_error_that_names_the_reference(project: Path, text: str, code: str) -> None:
    (project / "latin").write_bytes(b"hunter2\xe9")
    (project / "large").write_bytes(b"x" * 1_000_001)
    environ = {"OBJECT": '{"web": "hunter2"}', "LINE": "hunter2\n", "SPACE": " hunter2"}
    environ |= {"EMPTY": "", "BLANK": " \n", "MASK": "ab******", "WORD": "<redacted>", "HALF": "hunter2\udce9"}
    problem = refused(project, SECRET, text, **environ)
    assert problem.code == code
    assert text.split(":")[1].rstrip("}") in problem.detail


def test_a_secret_that_only_has_a_few_x_in_it_is_no_mask(project: Path) -> None:
    assert expanded(project, SECRET, "${env:X}", X="GOCSPX-aXXXb1234567") == Secret("GOCSPX-aXXXb1234567")


@pytest.mark.parametrize(("text", "value"), [("8", 8), ("8.0", 8), (" 12 ", 12)])
def test_a_number_is_read_from_text(project: Path, text: str, value: int) -> None:
    assert expanded(project, LENGTH, "${env:RECONCILER_VAR_OPENED}", RECONCILER_VAR_OPENED=text) == value


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("TRUE", True)])
def test_a_boolean_is_read_from_text(project: Path, text: str, value: bool) -> None:
    assert expanded(project, GUESTS, "${env:RECONCILER_VAR_OPENED}", RECONCILER_VAR_OPENED=text) is value


@pytest.mark.parametrize("path", [LENGTH, GUESTS])
def test_a_text_that_does_not_fit_its_field_is_an_error_that_does_not_quote_it(
    project: Path, path: SettingPath
) -> None:
    problem = refused(project, path, "${env:RECONCILER_VAR_X}", RECONCILER_VAR_X="hunter2")
    assert problem.code == "wrong-type"


def test_each_item_of_a_list_is_expanded(project: Path) -> None:
    desired, problems = Resolver({"RECONCILER_VAR_X": "EMAIL"}, project).expand(
        written(project, SCOPES, "${env:RECONCILER_VAR_X}", "${env:RECONCILER_VAR_NOT}")
    )
    items = desired.settings[SCOPES].value
    assert isinstance(items, tuple)
    assert [item.value for item in items] == ["OPENID", "EMAIL", template("${env:RECONCILER_VAR_NOT}")]
    assert [problem.code for problem in problems] == ["unset-reference"]


def test_a_document_without_references_is_returned_as_it_is(project: Path) -> None:
    state = written(project, SCOPES)
    assert Resolver({}, project).expand(state) == (state, ())


def test_a_text_of_the_identity_is_expanded_by_the_rules_of_other_fields(project: Path) -> None:
    resolver = Resolver({"RECONCILER_VAR_REGION": "eu-west-1", "HOME": "/root"}, project)
    origin = Origin(str(project / "auth.yaml"), 1, 1)
    assert resolver.expand_text(template("${env:RECONCILER_VAR_REGION}"), origin) == "eu-west-1"
    problem = resolver.expand_text(template("${env:HOME}"), origin)
    assert isinstance(problem, Diagnostic)
    assert problem.code == "reference-not-allowed"


def test_a_file_behind_a_link_in_a_circle_can_not_be_read(project: Path) -> None:
    (project / "loop").symlink_to("loop")
    assert refused(project, SECRET, "${file:loop}").code == "unreadable-reference"
    assert refused(project, CLIENT, "${file:loop}").code == "unreadable-reference"


def test_a_code_that_is_used_in_two_places_has_one_wording() -> None:
    for code in set(CODES) & set(CONFIG_CODES):
        assert CODES[code] == CONFIG_CODES[code]
