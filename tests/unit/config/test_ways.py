"""How a target is reached: who says what, in which order, and where each value comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.desired import Defaults, Loaded, load
from reconciler.config.project import read_project
from reconciler.core.model import Access

DOCUMENT = """\
AppId: d2k7example
BackendEnvironmentName: prod
ResourceName: shopauth
ResourceConfig: {Service: COGNITO}
"""
ROLE = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(
    document: str = "", project: str = "", *, defaults: Defaults | None = None, environ: dict[str, str] | None = None
) -> Loaded:
    Path("auth.yaml").write_text(DOCUMENT + document, encoding="utf-8")
    Path("reconciler.yaml").write_text(project, encoding="utf-8")
    return load(
        ["auth.yaml"],
        defaults=defaults or Defaults(),
        environ=environ or {},
        project=read_project(Path.cwd()),
    )


def where(loaded: Loaded, key: str) -> tuple[str, str]:
    (given,) = loaded.given.values()
    return given[key].value, given[key].where


@pytest.mark.parametrize(
    ("document", "project", "option", "environ", "region", "told"),
    [
        ("region: eu-west-1\n", "region: eu-west-2\n", None, {"AWS_REGION": "x"}, "eu-west-1", "auth.yaml:5:9"),
        ("", "region: eu-west-2\n", "eu-west-3", {"AWS_REGION": "x"}, "eu-west-3", "--region"),
        ("", "\nregion: eu-west-2\n", None, {"AWS_REGION": "x"}, "eu-west-2", "reconciler.yaml:2:9"),
        (
            "labels: {tier: prod}\n",
            "region: eu-west-2\noverrides:\n- match: {labels: {tier: p*}}\n  region: us-east-2\n",
            None,
            {},
            "us-east-2",
            "reconciler.yaml:4:11",
        ),
        ("", "", None, {"AWS_REGION": "us-west-1", "AWS_DEFAULT_REGION": "x"}, "us-west-1", "AWS_REGION"),
        ("", "", None, {"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2", "AWS_DEFAULT_REGION"),
        ("", "", None, {}, "sa-east-1", "the default profile"),
        ("profile: shop\n", "", None, {}, "ap-south-1", "profile shop"),
        ("", "profile: shop\n", None, {}, "ap-south-1", "profile shop"),
    ],
)
def test_the_document_comes_first_then_the_option_the_project_and_the_environment(
    document: str, project: str, option: str | None, environ: dict[str, str], region: str, told: str
) -> None:
    defaults = Defaults(region=option, region_of={None: "sa-east-1", "shop": "ap-south-1"}.get)
    result = loaded(document, project, defaults=defaults, environ=environ)
    assert not result.diagnostics
    assert result.desired[0].target.region == region
    assert where(result, "region") == (region, told)


def test_a_role_gets_the_account_that_the_document_writes() -> None:
    project = "role_arn: arn:aws:iam::{account}:role/deploy\nexternal_id: platform\nsession_name: nightly\n"
    result = loaded("region: us-east-1\naccount: 123456789012\n", project)
    assert result.desired[0].access == Access(None, ROLE, "platform", "nightly")
    assert where(result, "role_arn") == (ROLE, "reconciler.yaml:1:11")
    assert where(result, "account") == ("123456789012", "auth.yaml:6:10")


ROLE_OF_ANY = "role_arn: arn:aws:iam::{account}:role/deploy\n"


def test_a_role_that_lacks_its_account_is_told_of_the_document_that_lacks_it() -> None:
    (problem,) = loaded("region: us-east-1\n", ROLE_OF_ANY).errors
    assert (problem.code, str(problem.origin)) == ("no-account", "auth.yaml:1:1")
    assert problem.detail == "arn:aws:iam::{account}:role/deploy in reconciler.yaml:1:11"
    assert problem.hint == "write 'account:' into the document"
    (problem,) = loaded("region: us-east-1\n" + ROLE_OF_ANY).errors
    assert (str(problem.origin), problem.detail) == ("auth.yaml:6:11", "arn:aws:iam::{account}:role/deploy")


def test_what_an_override_may_still_settle_is_no_error_before_references_are_followed() -> None:
    Path("auth.yaml").write_text(DOCUMENT + "name: ${env:RECONCILER_VAR_N}-dev\n", encoding="utf-8")
    project = ROLE_OF_ANY + "overrides: [{match: {name: shop-*}, account: '123456789012'}]\n"
    Path("reconciler.yaml").write_text(project, encoding="utf-8")
    read = read_project(Path.cwd())
    assert not load(["auth.yaml"], defaults=Defaults(), environ={}, resolve=False, project=read).errors
    resolved = load(
        ["auth.yaml"],
        defaults=Defaults("us-east-1"),
        environ={},
        project=read,
        expand_text=lambda _template, _origin: "shop-dev",
    )
    assert [desired.access.role_arn for desired in resolved.desired] == [ROLE]


def test_the_external_id_of_the_projects_role_is_given_to_no_other() -> None:
    project = ROLE_OF_ANY + "external_id: platform\nsession_name: nightly\n"
    result = loaded("region: us-east-1\nrole_arn: arn:aws:iam::210987654321:role/own\n", project)
    assert result.desired[0].access == Access(None, "arn:aws:iam::210987654321:role/own", None, "nightly")
    result = loaded("region: us-east-1\nrole_arn: arn:aws:iam::210987654321:role/own\nexternal_id: mine\n", project)
    assert result.desired[0].access.external_id == "mine"


def test_what_belongs_to_a_role_means_nothing_without_one() -> None:
    result = loaded("region: us-east-1\nexternal_id: platform\n", "session_name: nightly\n")
    assert [problem.code for problem in result.diagnostics] == ["no-role"]
    assert result.desired[0].access == Access()


def test_a_reference_in_the_project_file_is_followed_as_in_a_document() -> None:
    Path("auth.yaml").write_text(DOCUMENT, encoding="utf-8")
    Path("reconciler.yaml").write_text("region: ${env:RECONCILER_VAR_R}\n", encoding="utf-8")
    result = load(
        ["auth.yaml"],
        defaults=Defaults(),
        environ={},
        project=read_project(Path.cwd()),
        expand_text=lambda template, _: {"${env:RECONCILER_VAR_R}": "Ireland"}[template.text],
    )
    (problem,) = result.errors
    assert (problem.code, str(problem.origin)) == ("bad-pattern", "reconciler.yaml:1:9")


def test_an_override_that_nobody_fits_is_told_where_the_whole_project_is_read() -> None:
    project = "region: us-east-1\noverrides:\n- match: {name: '*-production'}\n  wave: 9\n"
    assert not loaded("", project).diagnostics
    assert [str(origin) for origin in loaded("", project).unfit] == ["reconciler.yaml:3:10"]
    (warning,) = load(["."], defaults=Defaults(), environ={}, project=read_project(Path.cwd())).diagnostics
    assert (warning.code, str(warning.origin)) == ("unfit-override", "reconciler.yaml:3:10")
    assert not loaded("", project.replace("-production", "-prod")).unfit


def test_an_override_may_be_fitted_by_a_name_that_is_not_known_yet() -> None:
    loaded("name: ${env:RECONCILER_VAR_N}-dev\n", "overrides: [{match: {name: shop-*}, wave: 2}]\n")
    read = read_project(Path.cwd())
    assert not load(["."], defaults=Defaults(), environ={}, resolve=False, project=read).diagnostics


@pytest.mark.parametrize(("document", "wave"), [("", 3), ("wave: 0\n", 0), ("wave: 1\n", 1)])
def test_the_project_gives_a_wave_to_documents_that_write_none(document: str, wave: int) -> None:
    result = loaded("region: us-east-1\n" + document, "overrides:\n- match: {name: shop*}\n  wave: 3\n")
    assert result.desired[0].wave == wave
