"""The project file: what it may say, and each slip with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.project import Project, read_project
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
    assert read_project(root) == Project(ledger)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n", "null\n", "{}\n", "---\n---\n"])
def test_a_file_without_content_says_nothing(root: Path, text: str) -> None:
    write(root, text)
    assert read_project(root) == Project()


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
        ("ledger: ''\n", "wrong-type", 1, 9),
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
    assert (unknown.detail, unknown.excerpt) == ("ledgr", "ledgr: here")
    assert unknown.hint == "the keys are ledger, ledger_key"
    write(root, "ledger: [here]\n")
    (odd,) = problems(root)
    assert (odd.detail, odd.excerpt) == ("ledger is text.", "ledger: [here]")
    assert odd.hint == "write a folder, or s3://bucket/prefix"
    write(root, "ledger: s3:bucket\n")
    (address,) = problems(root)
    assert address.detail.startswith("a place in S3 is written s3://bucket or s3://bucket/prefix")
    assert address.hint == odd.hint


def test_every_slip_is_told_at_once(root: Path) -> None:
    write(root, "region: us-east-1\nledger: 8\nprofile: ops\n")
    told = [(problem.code, problem.origin.line) for problem in problems(root) if problem.origin]
    assert told == [("unknown-key", 1), ("wrong-type", 2), ("unknown-key", 3)]


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
