"""The commit of the documents: what git itself says, however files are called and people's git is set up."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.core.model import Commit
from reconciler.errors import UsageProblem
from reconciler.git import commit_of, files_at

ODD_NAMES = (
    "two words.yaml",
    "two\nlines.yaml",
    ":(top,glob)*.yaml",
    ":!auth.yaml",
    "*.yaml",
    "[a]uth.yaml",
    "--all.yaml",
    "Zo\u00eb \u2713.yaml",
    'quote".yaml',
    "back\\slash.yaml",
    os.fsdecode(b"no-text-\xff.yaml"),
)


@dataclass(frozen=True)
class Repository:
    """A real git repository with one commit of one document."""

    folder: Path

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def write(self, name: str, text: str = "a: 1\n") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self) -> str:
        """Commit all that there is, and return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "documents")
        return self.git("rev-parse", "HEAD")

    def commit_of(self, *files: str) -> Commit | None:
        return commit_of(files, self.folder)


@pytest.fixture(autouse=True)
def _nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.com")


@pytest.fixture
def empty(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "repository")
    repository.folder.mkdir()
    repository.git("init", "--quiet")
    return repository


@pytest.fixture
def repository(empty: Repository) -> Repository:
    empty.write("auth.yaml")
    empty.commit()
    return empty


@pytest.fixture
def other(tmp_path: Path) -> Repository:
    """Another repository beside the first one."""
    repository = Repository(tmp_path / "other")
    repository.folder.mkdir()
    repository.git("init", "--quiet")
    repository.write("auth.yaml", "b: 1\n")
    repository.commit()
    return repository


def test_documents_as_they_were_committed_are_clean(repository: Repository) -> None:
    assert repository.commit_of("auth.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=False)


def test_a_document_that_was_edited_is_dirty_whether_or_not_it_is_staged(repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    repository.write("auth.yaml", "a: 2\n")
    assert repository.commit_of("auth.yaml") == Commit(head, dirty=True)
    repository.git("add", "auth.yaml")
    assert repository.commit_of("auth.yaml") == Commit(head, dirty=True)
    assert repository.commit() != head
    assert repository.commit_of("auth.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=False)


def test_a_document_that_git_does_not_know_is_dirty(repository: Repository) -> None:
    repository.write("new.yaml")
    assert repository.commit_of("auth.yaml", "new.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=True)


def test_a_document_that_git_does_not_know_is_dirty_also_where_git_is_told_to_hide_such_files(
    repository: Repository,
) -> None:
    repository.git("config", "status.showUntrackedFiles", "no")
    repository.write("new.yaml")
    assert repository.commit_of("new.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=True)


@pytest.mark.parametrize("shown", ["normal", "no"])
def test_a_document_that_git_ignores_is_dirty(repository: Repository, shown: str) -> None:
    repository.git("config", "status.showUntrackedFiles", shown)
    repository.write(".gitignore", "local/\n*.secret.yaml\n")
    repository.commit()
    for name in ("local/auth.yaml", "prod.secret.yaml"):
        repository.write(name)
        assert repository.commit_of(name) == Commit(repository.git("rev-parse", "HEAD"), dirty=True), name


def test_other_files_make_no_document_dirty(repository: Repository) -> None:
    repository.write("notes.txt", "untracked\n")
    repository.write("other.yaml", "untracked: true\n")
    assert repository.commit_of("auth.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=False)


def test_one_dirty_document_among_many_is_enough(repository: Repository) -> None:
    names = [f"targets/{number:04}.yaml" for number in range(1_000)]
    for name in names:
        repository.write(name)
    head = repository.commit()
    assert repository.commit_of(*names) == Commit(head, dirty=False)
    repository.write(names[-1], "a: 2\n")
    assert repository.commit_of(*names) == Commit(head, dirty=True)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_name_is_a_name_and_no_pattern_or_option(repository: Repository, name: str) -> None:
    repository.write("another.yaml")
    repository.write(name)
    head = repository.commit()
    assert repository.commit_of(name) == Commit(head, dirty=False)
    repository.write("another.yaml", "a: 2\n")
    assert repository.commit_of(name) == Commit(head, dirty=False)
    repository.write(name, "a: 3\n")
    assert repository.commit_of(name) == Commit(head, dirty=True)


def test_files_are_named_from_the_folder_and_may_lie_above_it(repository: Repository) -> None:
    repository.write("apps/shop/auth.yaml")
    head = repository.commit()
    here = repository.folder / "apps" / "shop"
    for name in ("auth.yaml", "../../auth.yaml", str(here / "auth.yaml")):
        assert commit_of([name], here) == Commit(head, dirty=False), name
    repository.write("auth.yaml", "a: 2\n")
    assert commit_of(["auth.yaml"], here) == Commit(head, dirty=False)
    assert commit_of(["../../auth.yaml"], here) == Commit(head, dirty=True)


def test_a_document_beside_those_of_a_repository_is_in_no_commit_of_it(repository: Repository) -> None:
    (repository.folder.parent / "elsewhere.yaml").write_text("a: 1\n", encoding="utf-8")
    head = repository.git("rev-parse", "HEAD")
    assert repository.commit_of("../elsewhere.yaml", "auth.yaml") == Commit(head, dirty=True)
    assert repository.commit_of("../elsewhere.yaml") is None


def test_the_commit_is_that_of_the_documents_and_not_of_the_current_folder(
    repository: Repository, other: Repository
) -> None:
    head = repository.git("rev-parse", "HEAD")
    for here, name in (
        (repository.folder.parent, "repository/auth.yaml"),
        (other.folder, "../repository/auth.yaml"),
        (other.folder, str(repository.folder / "auth.yaml")),
    ):
        assert commit_of([name], here) == Commit(head, dirty=False), name
    repository.write("auth.yaml", "a: 2\n")
    assert commit_of(["../repository/auth.yaml"], other.folder) == Commit(head, dirty=True)
    assert commit_of(["auth.yaml"], other.folder) == Commit(other.git("rev-parse", "HEAD"), dirty=False)


def test_documents_of_several_repositories_have_no_commit_in_common(repository: Repository, other: Repository) -> None:
    names = ["auth.yaml", f"../{other.folder.name}/auth.yaml"]
    assert repository.commit_of(names[0]) is not None
    assert repository.commit_of(*names) is None


def test_a_document_in_a_submodule_is_of_the_submodules_commit(repository: Repository, other: Repository) -> None:
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.folder), "auth")
    head = repository.commit()
    inside = other.git("rev-parse", "HEAD")
    assert repository.commit_of("auth/auth.yaml") == Commit(inside, dirty=False)
    repository.write("auth/auth.yaml", "a: 3\n")
    assert repository.commit_of("auth/auth.yaml") == Commit(inside, dirty=True)
    assert repository.commit_of("auth.yaml") == Commit(head, dirty=False)
    assert repository.commit_of("auth.yaml", "auth/auth.yaml") is None


def test_a_document_behind_a_link_is_looked_at_and_so_is_the_link(repository: Repository) -> None:
    repository.write("real/one.yaml")
    repository.write("real/two.yaml")
    (repository.folder / "link.yaml").symlink_to("real/one.yaml")
    (repository.folder / "folder").symlink_to("real")
    head = repository.commit()
    for name in ("link.yaml", "folder/one.yaml"):
        assert repository.commit_of(name) == Commit(head, dirty=False), name
    repository.write("real/one.yaml", "a: 2\n")
    for name in ("link.yaml", "folder/one.yaml"):
        assert repository.commit_of(name) == Commit(head, dirty=True), name
    repository.git("checkout", "--quiet", "real/one.yaml")
    (repository.folder / "link.yaml").unlink()
    (repository.folder / "link.yaml").symlink_to("real/two.yaml")
    assert repository.commit_of("link.yaml") == Commit(head, dirty=True)


def test_a_hook_of_another_repository_changes_nothing(
    repository: Repository, other: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.git("rev-parse", "HEAD")
    for name, value in {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}.items():
        monkeypatch.setenv(name, value)
    assert commit_of(["../repository/auth.yaml"], other.folder) == Commit(head, dirty=False)


@pytest.mark.parametrize("fails", ["exit 1", "exec sleep 60"], ids=["at once", "not in time"])
def test_where_git_does_not_tell_what_differs_nobody_says_that_anything_does(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    head = repository.git("rev-parse", "HEAD")
    real = shutil.which("git")
    slow = tmp_path / "slow" / "git"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *" status "*) {fails};; esac\nexec {real} "$@"\n', encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    assert commit_of(["auth.yaml"], repository.folder, seconds=1) == Commit(head, dirty=None)


def test_standard_input_is_not_looked_for_among_the_files(repository: Repository) -> None:
    assert repository.commit_of("<stdin>", "auth.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=False)
    assert repository.commit_of("<stdin>") is None


def test_outside_of_a_work_tree_there_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / "auth.yaml").write_text("a: 1\n", encoding="utf-8")
    assert commit_of(["auth.yaml"], tmp_path) is None


def test_before_the_first_commit_there_is_none(empty: Repository) -> None:
    empty.write("auth.yaml")
    assert empty.commit_of("auth.yaml") is None


def test_without_git_there_is_no_commit(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository.commit_of("auth.yaml") is None


def test_a_git_that_can_not_be_run_is_none(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_bytes(b"\x7fELF no program")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository.commit_of("auth.yaml") is None


def test_a_folder_that_is_gone_has_no_commit(repository: Repository) -> None:
    assert commit_of(["auth.yaml"], repository.folder / "gone") is None


def test_a_repository_that_git_does_not_trust_has_no_commit(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What git itself offers for its own tests of somebody else's repository.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert repository.commit_of("auth.yaml") is None


def test_looking_is_in_nobodys_way_and_changes_nothing(repository: Repository) -> None:
    """A lock that somebody else holds does not stop it, and the index is not written anew."""
    index = repository.folder / ".git" / "index"
    os.utime(repository.folder / "auth.yaml", (1, 1))  # so that git would like to refresh its index
    before = index.read_bytes()
    (repository.folder / ".git" / "index.lock").touch()
    assert repository.commit_of("auth.yaml") == Commit(repository.git("rev-parse", "HEAD"), dirty=False)
    (repository.folder / ".git" / "index.lock").unlink()
    assert repository.commit_of("auth.yaml") is not None
    assert index.read_bytes() == before


def test_files_at_a_commit_are_written_out_whatever_they_are_called(repository: Repository, tmp_path: Path) -> None:
    for name in ODD_NAMES:
        repository.write(f"deep/{name}", f"name: {name!r}\n")
    repository.write("deep/large.json", "0" * 300_000)
    repository.write("deep/notes.txt")
    repository.write("elsewhere/auth.yaml")
    (repository.folder / "deep" / "link.yaml").symlink_to("large.json")
    first = repository.commit()
    repository.write("deep/large.json", "later")
    repository.commit()
    into = tmp_path / "into"
    into.mkdir()
    top = files_at(first, repository.folder / "deep", frozenset({".yaml", ".json"}), into)
    assert top == Path(os.path.realpath(repository.folder))
    found = {path.name for path in (into / "deep").iterdir()}
    assert found == {*ODD_NAMES, "large.json", "link.yaml"}
    assert not (into / "elsewhere").exists()
    assert (into / "deep" / "link.yaml").read_bytes() == b"0" * 300_000
    assert (into / "deep" / ODD_NAMES[1]).read_text(encoding="utf-8") == f"name: {ODD_NAMES[1]!r}\n"


@pytest.mark.parametrize("ref", ["nothing", "--output=x", "", "HEAD:auth.yaml"])
def test_what_is_no_commit_is_refused(repository: Repository, tmp_path: Path, ref: str) -> None:
    with pytest.raises(UsageProblem, match="git knows no commit"):
        files_at(ref, repository.folder, frozenset({".yaml"}), tmp_path)
