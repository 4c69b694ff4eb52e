"""Input that is meant to hurt ends in a diagnostic, soon and within bounded memory."""

import socket
import time
import tracemalloc
from pathlib import Path

import pytest

from reconciler.config.desired import Defaults, Loaded, load

HEAD = "AppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shopauth\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "reconciler.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(*paths: str) -> Loaded:
    return load(paths, defaults=Defaults(region="us-east-1"), environ={})


def codes(*paths: str) -> list[str]:
    return [found.code for found in loaded(*paths).diagnostics]


def test_a_file_of_50_mb_is_refused_without_being_read() -> None:
    with Path("large.yaml").open("wb") as file:
        file.truncate(50_000_000)
    loaded("nothing")
    tracemalloc.start()
    start = time.perf_counter()
    assert codes("large.yaml") == ["too-large"]
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "- {b: [", '{"a":['])
def test_nesting_without_end_is_refused(opening: str) -> None:
    Path("deep.yaml").write_text(opening * (900_000 // len(opening)))
    assert set(codes("deep.yaml")) <= {"too-deep", "bad-key", "yaml-syntax"}
    assert codes("deep.yaml")


def test_a_chain_of_aliases_that_unfolds_deep_is_refused() -> None:
    lines = ["k0: &a0 [x]", *(f"k{number}: &a{number} [*a{number - 1}]" for number in range(1, 5000))]
    Path("chain.yaml").write_text("\n".join(lines))
    assert codes("chain.yaml") == ["too-deep"]


def test_a_key_without_end_and_a_number_without_end_are_only_text() -> None:
    Path("long.yaml").write_text(HEAD + f"name: {'9' * 100_000}\n{'k' * 1000}: x\n")
    assert codes("long.yaml") == ["too-long", "unknown-key", "manages-nothing"][:2]


def test_a_line_of_a_megabyte_without_a_colon_is_masked_in_no_time() -> None:
    Path("line.yaml").write_text("[" + "a " * 400_000)
    start = time.perf_counter()
    assert codes("line.yaml") == ["yaml-syntax"]
    assert time.perf_counter() - start < 5


def test_ten_thousand_colons_in_a_line_are_masked_in_no_time() -> None:
    Path("colons.yaml").write_text("[" + "a: " * 10_000)
    start = time.perf_counter()
    assert codes("colons.yaml") == ["yaml-syntax"]
    assert time.perf_counter() - start < 5


def test_a_long_chain_of_bases_is_refused() -> None:
    for number in range(100):
        Path(f"b{number}.yaml").write_text(f"extends: b{number + 1}.yaml\n")
    Path("auth.yaml").write_text(HEAD + "extends: b0.yaml\n")
    assert codes("auth.yaml") == ["too-deep"]


def test_links_in_circles_are_not_followed() -> None:
    Path("auth.yaml").write_text(HEAD + "ResourceConfig: {Service: COGNITO}\n")
    Path("folder").mkdir()
    Path("folder/up").symlink_to("..")
    Path("loop.yaml").symlink_to("loop.yaml")
    assert codes(".") == ["unreadable-file"]
    assert codes("loop.yaml") == ["unreadable-file"]
    assert codes("folder") == ["no-documents"]


def test_a_base_behind_a_link_in_a_circle_is_missing() -> None:
    Path("loop").symlink_to("loop")
    Path("auth.yaml").write_text(HEAD + "extends: loop\n")
    assert codes("auth.yaml") == ["missing-base"]


def test_a_name_longer_than_the_system_takes_is_missing() -> None:
    assert codes("x" * 5000) == ["missing-path"]
    Path("auth.yaml").write_text(HEAD + f"extends: {'x' * 5000}\n")
    assert codes("auth.yaml") == ["missing-base"]


def test_a_link_in_a_folder_may_not_lead_out_of_the_project(tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "credentials.yaml"
    outside.write_text("[default]\naws_secret_access_key: hunter2\n")
    Path("auth").mkdir()
    Path("auth/auth.yaml").symlink_to(outside)
    result = loaded("auth")
    assert [found.code for found in result.diagnostics] == ["outside-project"]
    assert "hunter2" not in str(result)


def test_a_link_in_a_folder_may_lead_elsewhere_in_the_project() -> None:
    Path("auth.yaml").write_text(HEAD + "ResourceConfig: {Service: COGNITO}\n")
    Path("auth").mkdir()
    Path("auth/prod.yaml").symlink_to("../auth.yaml")
    assert [state.name for state in loaded("auth").desired] == ["shopauth-prod"]
    assert len(loaded("auth", "auth.yaml", ".").desired) == 1


def test_a_file_that_can_not_be_read_is_an_error() -> None:
    with socket.socket(socket.AF_UNIX) as unreadable:
        unreadable.bind("auth.yaml")
        assert codes("auth.yaml") == ["unreadable-file"]


def test_a_large_saved_plan_in_a_folder_is_no_document() -> None:
    Path("auth.yaml").write_text(HEAD + "ResourceConfig: {Service: COGNITO}\n")
    Path("plan.json").write_text('{\n  "format_version": "1.2", "x": "' + "x" * 2_000_000 + '"}')
    assert codes(".") == []
    assert codes("plan.json") == ["too-large"]


def test_bytes_of_no_encoding_are_no_text() -> None:
    Path("binary.yaml").write_bytes(b"\xff\x00\xfe" * 100)
    assert codes("binary.yaml") == ["not-text"]
    Path("wide.yaml").write_bytes("AppId: x".encode("utf-32"))
    assert codes("wide.yaml") == ["not-utf8"]
