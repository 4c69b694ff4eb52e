"""Who runs the program, by what the machine and each CI system tell."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import pytest

from reconciler.ledger.record import Pipeline, Who
from reconciler.ledger.who import pipeline, who

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "1658821493",
}
SYSTEMS: tuple[tuple[Mapping[str, str], Pipeline], ...] = (
    (GITHUB, Pipeline("GitHub Actions", "octocat", "https://github.com/acme/shop/actions/runs/1658821493")),
    (
        {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ann", "CI_JOB_URL": "https://gitlab.com/acme/shop/-/jobs/7"},
        Pipeline("GitLab CI", "ann", "https://gitlab.com/acme/shop/-/jobs/7"),
    ),
    (
        {
            "JENKINS_URL": "https://ci.example.com/",
            "BUILD_USER_ID": "ann",
            "BUILD_URL": "https://ci.example.com/job/7/",
        },
        Pipeline("Jenkins", "ann", "https://ci.example.com/job/7/"),
    ),
    (
        {
            "CODEBUILD_BUILD_ID": "shop:b1e6661e",
            "CODEBUILD_INITIATOR": "codepipeline/shop",
            "CODEBUILD_PUBLIC_BUILD_URL": "https://us-east-1.codebuild.aws.amazon.com/project/shop/build/7",
        },
        Pipeline("CodeBuild", "codepipeline/shop", "https://us-east-1.codebuild.aws.amazon.com/project/shop/build/7"),
    ),
    (
        {"CIRCLECI": "true", "CIRCLE_USERNAME": "ann", "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/shop/7"},
        Pipeline("CircleCI", "ann", "https://circleci.com/gh/acme/shop/7"),
    ),
    (
        {
            "BUILDKITE": "true",
            "BUILDKITE_BUILD_CREATOR": "Ann",
            "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/shop/builds/7",
        },
        Pipeline("Buildkite", "Ann", "https://buildkite.com/acme/shop/builds/7"),
    ),
)
IDS = [told.system for _, told in SYSTEMS]


@pytest.mark.parametrize(("environ", "told"), SYSTEMS, ids=IDS)
def test_each_system_tells_who_started_the_job_and_where_it_is(environ: Mapping[str, str], told: Pipeline) -> None:
    assert pipeline(environ) == told
    assert pipeline({**environ, "CI": "true"}) == told, "CI says less than the system's own sign"


@pytest.mark.parametrize(("environ", "told"), SYSTEMS, ids=IDS)
def test_a_system_that_tells_nothing_more_is_named_alone(environ: Mapping[str, str], told: Pipeline) -> None:
    sign = next(name for name in environ if name != "CI")
    assert pipeline({sign: environ[sign]}) == Pipeline(told.system)
    silent = {name: value if name == sign else "" for name, value in environ.items()}
    assert pipeline(silent) == Pipeline(told.system), "a variable that is empty tells nothing"


@pytest.mark.parametrize(("environ", "told"), SYSTEMS, ids=IDS)
def test_what_a_system_tells_is_nothing_without_its_sign(environ: Mapping[str, str], told: Pipeline) -> None:
    sign = next(name for name in environ if name != "CI")
    unsigned = {**environ, "CI": "", sign: ""}
    assert pipeline(unsigned) is None, told.system
    assert pipeline({**unsigned, "CI": "1"}) == Pipeline("CI")


@pytest.mark.parametrize("lost", ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"])
def test_github_has_no_address_rather_than_half_of_one(lost: str) -> None:
    environ = {name: value for name, value in GITHUB.items() if name != lost}
    assert pipeline(environ) == Pipeline("GitHub Actions", "octocat")


def test_outside_ci_there_is_no_pipeline() -> None:
    assert pipeline({}) is None
    assert pipeline({"CI": ""}) is None


def test_the_user_and_the_machine_are_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert who(GITHUB) == Who("ann", platform.node(), pipeline(GITHUB))
    assert who({}) == Who("ann", platform.node())


def test_a_container_whose_user_and_machine_have_no_name_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(user: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr("platform.node", lambda: "")
    assert who({}) == Who(None, None)
    assert str(who({})) == "somebody@somewhere"


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (Who("ann", "laptop"), "ann@laptop"),
        (Who("ann", None), "ann@somewhere"),
        (Who("root", "runner", Pipeline("CI")), "root@runner (CI)"),
        (Who("root", "runner", Pipeline("GitLab CI", "ann")), "ann (GitLab CI)"),
        (
            Who("root", "runner", Pipeline("GitLab CI", "ann", "https://gitlab.com/7")),
            "ann (GitLab CI, https://gitlab.com/7)",
        ),
        (Who("root", "runner", Pipeline("Jenkins", None, "https://ci/7")), "root@runner (Jenkins, https://ci/7)"),
    ],
)
def test_people_read_the_person_first_and_then_where(told: Who, text: str) -> None:
    assert str(told) == text
