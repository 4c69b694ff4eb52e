"""The project file: what it may say, and each slip with its line and column."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.config.nodes import ScalarNode
from reconciler.config.project import RAIL_KEYS, TARGET_KEYS, Project, read_project
from reconciler.config.schema import AUTH, PROJECT, schema_of
from reconciler.errors import Diagnostic, InputProblem


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(root: Path, text: str | bytes) -> Path:
    path = root / "reconciler.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(root: Path) -> tuple[Diagnostic, ...]:
    """What is wrong with the project file."""
    with pytest.raises(InputProblem) as caught:
        read_project(root)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("text", "ledger"),
    [
        ("ledger: s3://bucket/prefix\n", "s3://bucket/prefix"),
        ("ledger: kept/here # beside this file\n", "kept/here"),
        ("ledger: '8'\n", "8"),
        ("ledger: ./s3:here\n", "./s3:here"),
        ("ledger: no\n", "no"),
        ("\ufeffledger: here\r\n", "here"),
        ('{"ledger": "here"}', "here"),
        ("---\nledger: here\n...\n", "here"),
    ],
)
def test_the_ledger_is_text_as_yaml_reads_it(root: Path, text: str, ledger: str) -> None:
    write(root, text)
    assert read_project(root).ledger == ledger


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n", "null\n", "{}\n", "---\n---\n"])
def test_a_file_without_content_says_nothing(root: Path, text: str) -> None:
    write(root, text)
    read = read_project(root)
    assert replace(read, source=None) == Project()
    assert read.source is not None


def test_a_project_without_the_file_says_nothing(root: Path) -> None:
    assert read_project(root) == Project()
    assert read_project(root / "no" / "such" / "folder") == Project()


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("ledger: here\nledgers: there\n", "unknown-key", 2, 1),
        ("\n  Ledger: here\n", "unknown-key", 2, 3),
        ("AppId: d2k7example\n", "unknown-key", 1, 1),
        ("ledger: 8\n", "wrong-type", 1, 9),
        ("ledger: true\n", "wrong-type", 1, 9),
        ("ledger: ''\n", "too-short", 1, 9),
        ("ledger:\n", "wrong-type", 1, 8),
        ("ledger: s3:/bucket\n", "bad-pattern", 1, 9),
        ("ledger: s3:bucket\n", "bad-pattern", 1, 9),
        ("\nledger: gs://bucket/prefix\n", "bad-pattern", 2, 9),
        ("ledger: s3://Bucket\n", "bad-pattern", 1, 9),
        ("ledger: null\n", "wrong-type", 1, 9),
        ("# a list\n\nledger:\n  - s3://bucket\n", "wrong-type", 4, 3),
        ("ledger:\n  place: s3://bucket\n", "wrong-type", 2, 3),
        ("# all of it\n\n- ledger: here\n", "wrong-type", 3, 1),
        ("\n  s3://bucket/prefix\n", "wrong-type", 2, 3),
        ("ledger: here\n---\n# another\nledger: there\n", "wrong-type", 4, 1),
        ("ledger: here\nledger: there\n", "duplicate-key", 2, 1),
        ("ledger: [s3://bucket\n", "yaml-syntax", 2, 1),
        ("ledger: a\n\tb: c\n", "yaml-syntax", 2, 1),
        ("ledger: !!binary aGVyZQ==\n", "unknown-tag", 1, 9),
        ("ledger: *nowhere\n", "bad-alias", 1, 9),
        ("ledger: a\x00b\n", "not-text", 1, 10),
        (b"ledger: a\nledger2: \xff\n", "not-utf8", 2, 10),
    ],
)
def test_a_slip_is_told_with_its_place(root: Path, text: str | bytes, code: str, line: int, column: int) -> None:
    write(root, text)
    (problem,) = problems(root)
    assert problem.origin is not None
    assert (problem.code, problem.origin.file) == (code, "reconciler.yaml")
    assert (problem.origin.line, problem.origin.column) == (line, column)


def test_a_slip_is_told_with_its_line_and_what_to_write(root: Path) -> None:
    write(root, "ledgr: here\n")
    (unknown,) = problems(root)
    assert (unknown.detail, unknown.excerpt) == ("'ledgr' is not known here.", "ledgr: here")
    assert unknown.hint == "did you mean 'ledger'?"
    write(root, "ledger: [here]\n")
    (odd,) = problems(root)
    assert (odd.detail, odd.excerpt) == ("ledger must be text.", "ledger: [here]")
    assert odd.hint == "write a folder, or s3://bucket/prefix"
    write(root, "ledger: s3:bucket\n")
    (address,) = problems(root)
    assert address.detail.startswith("a place in S3 is written s3://bucket or s3://bucket/prefix")
    assert address.hint == odd.hint


@pytest.mark.parametrize("key", ["url", "URL", "webhook_url", "secret"])
@pytest.mark.parametrize("text", ["{}: {}\n", "notify_hosts: [h]\nnotify:\n  - format: json\n    {}: {} ]\n"])
def test_the_address_of_a_webhook_in_clear_is_in_no_excerpt(root: Path, text: str, key: str) -> None:
    write(root, text.format(key, "https://hooks.slack.com/services/T0/B0/canary"))
    assert "canary" not in str(problems(root))


def test_every_slip_is_told_at_once(root: Path) -> None:
    write(root, "regions: us-east-1\nledger: 8\nparallelism: 900\nenv_names: [AWS_SESSION_TOKEN]\n")
    told = sorted((problem.origin.line, problem.code) for problem in problems(root) if problem.origin)
    assert told == [(1, "unknown-key"), (2, "wrong-type"), (3, "out-of-range"), (4, "secret-variable")]


def test_a_file_that_cant_be_read_is_no_file_that_says_nothing(root: Path) -> None:
    (root / "reconciler.yaml").mkdir()
    assert [problem.code for problem in problems(root)] == ["unreadable-file"]
    (root / "reconciler.yaml").rmdir()
    (root / "reconciler.yaml").symlink_to("gone.yaml")
    assert [problem.code for problem in problems(root)] == ["unreadable-file"]


def test_a_file_that_is_too_large_is_refused(root: Path) -> None:
    write(root, "ledger: here\n" + "#" * 1_000_000)
    assert [problem.code for problem in problems(root)] == ["too-large"]


def test_the_file_is_named_from_the_current_folder_where_it_is_below_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "shop").mkdir()
    write(root / "shop", "ledger: 8\n")
    assert [problem.origin.file for problem in problems(root / "shop") if problem.origin] == ["shop/reconciler.yaml"]
    (root / "elsewhere").mkdir()
    monkeypatch.chdir(root / "elsewhere")
    path = str(root / "shop" / "reconciler.yaml")
    assert [problem.origin.file for problem in problems(root / "shop") if problem.origin] == [path]


def test_a_secret_that_strayed_into_the_file_is_in_no_excerpt(root: Path) -> None:
    write(root, "ClientSecret: GOCSPX-canary\n")
    (problem,) = problems(root)
    assert problem.code == "unknown-key"
    assert "canary" not in str(problem)


WHOLE = """\
region: eu-west-1
role_arn: arn:aws:iam::{account}:role/reconciler
external_id: platform-team
session_name: nightly
parallelism: 32
poll_interval: 0.5
job_timeout: 600
ledger: s3://example-ledger/auth
ledger_key: ${ssm:/reconciler/ledger-key}
env_names: [SHOP_DOMAIN]
notify_hosts: [hooks.slack.com, .example.com]
notify:
  - {format: slack, url: "${env:SLACK_WEBHOOK}", template: "{different} of {total}"}
  - {format: json, url: "${ssm:/webhook}", secret: "${ssm:/webhook-secret}"}
overrides:
  - match: {name: [shop-*, blog-prod]}
    region: us-east-1
  - match: {labels: {tier: prod}}
    account: "123456789012"
    wave: 2
  - match: {name: shop-prod, labels: {tier: "*"}}
    region: us-west-2
"""


def test_everything_that_the_schema_knows_is_read(root: Path) -> None:
    write(root, WHOLE)
    project = read_project(root)
    assert (project.parallelism, project.poll_interval, project.job_timeout) == (32, 0.5, 600)
    assert (project.ledger, project.env_names) == ("s3://example-ledger/auth", frozenset({"SHOP_DOMAIN"}))
    assert project.ledger_key is not None
    assert project.ledger_key.template.text == "${ssm:/reconciler/ledger-key}"
    assert project.notify_hosts == {"hooks.slack.com", ".example.com"}
    slack, other = project.webhooks
    assert (slack.form, slack.url.template.text, slack.secret) == ("slack", "${env:SLACK_WEBHOOK}", None)
    assert (slack.template, other.template) == ("{different} of {total}", None)
    assert other.secret is not None
    assert other.secret.template.text == "${ssm:/webhook-secret}"
    assert [str(project.entries[key].node.origin) for key in ("region", "role_arn")] == [
        "reconciler.yaml:1:9",
        "reconciler.yaml:2:11",
    ]


@pytest.mark.parametrize(
    ("name", "labels", "region", "wave"),
    [
        ("other", {}, "eu-west-1", None),
        ("blog-prod", {}, "us-east-1", None),
        ("blog-prod", {"tier": "prod"}, "us-east-1", 2),
        ("shop-dev", {"tier": "dev"}, "us-east-1", None),
        ("shop-prod", {"tier": "prod"}, "us-west-2", 2),
        ("shop-prod", {"team": "web"}, "us-east-1", None),
    ],
)
def test_of_the_overrides_that_match_the_last_one_wins(
    root: Path, name: str, labels: dict[str, str], region: str, wave: int | None
) -> None:
    write(root, WHOLE)
    entries = read_project(root).entries_for(name, labels)
    found = {key: entry.node.value for key, entry in entries.items() if isinstance(entry.node, ScalarNode)}
    assert (found["region"], found.get("wave")) == (region, wave)
    assert found["external_id"] == "platform-team"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("overrides:\n  - region: us-east-1\n", "missing-key", 2, 5),
        ("overrides:\n  - match: {}\n", "empty-block", 2, 12),
        ("overrides:\n  - match: {names: a}\n", "unknown-key", 2, 13),
        ("overrides:\n  - match: {name: []}\n", "empty-list", 2, 19),
        ("overrides:\n  - match: {name: a}\n    ledger: here\n", "unknown-key", 3, 5),
        ("overrides: {match: {name: a}}\n", "wrong-type", 1, 12),
        ("role_arn: arn:aws:iam::1:role/deploy\n", "bad-pattern", 1, 11),
        ("role_arn: arn:aws:iam::{acount}:role/deploy\n", "bad-pattern", 1, 11),
        ("region: Ireland\n", "bad-pattern", 1, 9),
        ("region: ${ssm:/region}\n", "reference-not-allowed", 1, 9),
        ("region: ${env:X\n", "bad-reference", 1, 9),
        ("external_id: 'a b'\n", "bad-pattern", 1, 14),
        ("poll_interval: soon\n", "wrong-type", 1, 16),
        ("job_timeout: -1\n", "out-of-range", 1, 14),
        ("parallelism: 0\n", "out-of-range", 1, 14),
        ("env_names: [SHOP_*]\n", "bad-pattern", 1, 13),
        ("env_names: [GITHUB_TOKEN]\n", "secret-variable", 1, 13),
        ("env_names: [AWS_REGION]\n", "secret-variable", 1, 13),
        ("env_names: [OPENAI_API_KEY]\n", "secret-variable", 1, 13),
        ("env_names: [MYSQL_PWD]\n", "secret-variable", 1, 13),
        ("env_names: [TEAMS_WEBHOOK]\n", "secret-variable", 1, 13),
        ("env_names: [CI_REPOSITORY_URL]\n", "secret-variable", 1, 13),
        ("env_names: [A]\nledger_key: '${env:A}'\n", "secret-variable", 2, 13),
        ("notify_hosts: [h]\nnotify: [{format: json, url: '${env:RECONCILER_VAR_A}'}]\n", "secret-variable", 2, 30),
        ("role_arn: arn:aws:iam::123456789012:role/*\n", "bad-pattern", 1, 11),
        ("env_names: [DATABASE_URL]\n", "secret-variable", 1, 13),
        ("overrides: [{match: {labels: {token: abc}}}]\n", "plaintext-secret", 1, 38),
        ("poll_interval: .nan\n", "out-of-range", 1, 16),
        ("job_timeout: .inf\n", "out-of-range", 1, 14),
        ("endpoint_url: http://localhost\n", "unknown-key", 1, 1),
        ("notify: [{format: json, url: '${env:X}'}]\n", "missing-key", 1, 1),
        ("notify_hosts: [h]\nnotify: []\n", "empty-list", 2, 9),
        ("notify_hosts: [h]\nnotify: [{format: json}]\n", "missing-key", 2, 10),
        ("notify_hosts: [h]\nnotify: [{format: mail, url: '${env:X}'}]\n", "not-allowed-value", 2, 19),
        ("notify_hosts: [h]\nnotify: [{format: json, url: '${env:X}/path'}]\n", "plaintext-secret", 2, 30),
        ("notify_hosts: [h]\nnotify: [{format: json, url: '${env:X:-https://h}'}]\n", "plaintext-secret", 2, 30),
        ("notify_hosts: [h]\nnotify: [{format: json, url: '${env:X'}]\n", "bad-reference", 2, 30),
        (
            "notify_hosts: [h]\nnotify: [{format: json, url: '${env:X}', template: '{secret}'}]\n",
            "not-allowed-value",
            2,
            52,
        ),
        ("notify_hosts: ['*.example.com']\n", "bad-pattern", 1, 16),
        ("notify_hosts: [.com]\n", "bad-pattern", 1, 16),
        ("notify_hosts: [https://h]\n", "bad-pattern", 1, 16),
    ],
)
def test_what_it_may_not_say_is_told_with_its_place(root: Path, text: str, code: str, line: int, column: int) -> None:
    write(root, text)
    (problem,) = problems(root)
    assert (problem.code, str(problem.origin)) == (code, f"reconciler.yaml:{line}:{column}")


def test_a_file_with_another_name_would_say_nothing_and_so_is_told(root: Path) -> None:
    (root / "reconciler.yml").write_text("region: us-east-1\n", encoding="utf-8")
    (problem,) = problems(root)
    assert (problem.code, problem.hint) == ("misnamed-project-file", "rename it to reconciler.yaml")


@pytest.mark.parametrize("name", ["FEEDBACK_URL", "SHOP_INDEX_PAGE_URL", "HOOKED_UP", "AUTHOR", "KEYBOARD"])
def test_a_variable_whose_name_only_looks_alike_may_be_open(root: Path, name: str) -> None:
    write(root, f"env_names: [{name}]\n")
    assert read_project(root).env_names == {name}


def test_a_file_below_another_one_would_take_its_rails_away_and_so_is_told(root: Path) -> None:
    write(root, "mode: observe\n")
    nested = root / "auth"
    nested.mkdir()
    write(nested, "parallelism: 2\n")
    (problem,) = problems(nested)
    assert (problem.code, str(problem.origin)) == ("nested-project-file", "auth/reconciler.yaml:1:1")
    assert problem.detail == "It would stand in for reconciler.yaml."
    (nested / ".git").mkdir()  # a repository of its own
    assert read_project(nested).parallelism == 2


def test_what_both_schemas_know_they_describe_alike() -> None:
    documents, project = schema_of(AUTH)["properties"], schema_of(PROJECT)["properties"]
    own = project["overrides"]["items"]["properties"]
    for key in TARGET_KEYS:
        assert json.dumps(documents[key]) == json.dumps(project[key]) == json.dumps(own[key])
    for key in RAIL_KEYS:
        assert json.dumps(project[key]) == json.dumps(own[key])
        assert key not in documents
    assert json.dumps(documents["waivers"]) == json.dumps(project["waivers"]) == json.dumps(own["waivers"])
    assert set(own) == {"match", "waivers", *TARGET_KEYS, *RAIL_KEYS}
