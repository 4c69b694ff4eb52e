"""Who runs the program, from what the operating system and the CI system tell."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Callable, Mapping

from reconciler.ledger.record import Pipeline, Who


def who(environ: Mapping[str, str]) -> Who:
    """The user, the machine and the pipeline; what can't be told is None.

    Args:
        environ: where CI systems say who started the job, and where to look at it.
    """
    try:
        user: str | None = getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no entry
        user = None
    return Who(user, platform.node() or None, pipeline(environ))


def pipeline(environ: Mapping[str, str]) -> Pipeline | None:
    """The CI job, by the variables that its system documents; None outside CI."""
    for sign, system, read in _SYSTEMS:
        if environ.get(sign):
            actor, url = read(environ)
            return Pipeline(system, actor or None, url or None)
    return Pipeline("CI") if environ.get("CI") else None


_Read = Callable[[Mapping[str, str]], tuple[str | None, str | None]]


def _github(environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    parts = [environ.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    server, repository, run = parts
    return environ.get("GITHUB_ACTOR"), f"{server}/{repository}/actions/runs/{run}" if all(parts) else None


def _named(actor: str, url: str) -> _Read:
    return lambda environ: (environ.get(actor), environ.get(url))


_SYSTEMS: tuple[tuple[str, str, _Read], ...] = (
    ("GITHUB_ACTIONS", "GitHub Actions", _github),
    ("GITLAB_CI", "GitLab CI", _named("GITLAB_USER_LOGIN", "CI_JOB_URL")),
    ("JENKINS_URL", "Jenkins", _named("BUILD_USER_ID", "BUILD_URL")),
    ("CODEBUILD_BUILD_ID", "CodeBuild", _named("CODEBUILD_INITIATOR", "CODEBUILD_PUBLIC_BUILD_URL")),
    ("CIRCLECI", "CircleCI", _named("CIRCLE_USERNAME", "CIRCLE_BUILD_URL")),
    ("BUILDKITE", "Buildkite", _named("BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_URL")),
)
