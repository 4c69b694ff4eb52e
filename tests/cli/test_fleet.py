"""Many targets at once: which are meant, how each is reached, and that one's trouble is its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.wiring import Connection, Selection, Services
from tests.cli.conftest import Project
from tests.cli.ledgers import new_bucket

MOTOS_ACCOUNT = "123456789012"
PROJECT = """\
region: us-east-1
role_arn: arn:aws:iam::{account}:role/reconciler
parallelism: 3
overrides:
  - match: {labels: {tier: prod}}
    account: "123456789012"
    wave: 1
  - match: {name: "*-dev"}
    account: "111122223333"
"""
MANAGES = (
    "  manages AuthResources (1), Service (1), UnauthenticatedLogin (1), SignInMethod (1), Mfa (3), "
    "PasswordPolicy (2), VerificationMessage (3), OAuth (5)"
)


@pytest.fixture
def fleet(project: Project) -> Project:
    """A base, three documents that extend it, and a project file."""
    example = project.document.read_text(encoding="utf-8")
    base = "\n".join(
        line for line in example.splitlines() if not line.startswith(("name:", "AppId:", "region:", "Back"))
    )
    project.document.unlink()
    apps = project.folder / "apps"
    apps.mkdir()
    (project.folder / "base.yaml").write_text(base, encoding="utf-8")
    for name, tier in (("shop-prod", "prod"), ("blog-prod", "prod"), ("shop-dev", "dev")):
        app, environment = name.split("-")
        (apps / f"{name}.yaml").write_text(
            f"extends: ../base.yaml\nname: {name}\nAppId: d{app}\nBackendEnvironmentName: {environment}\n"
            f"labels: {{tier: {tier}, team: {app}}}\n",
            encoding="utf-8",
        )
    (project.folder / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
    assert project.run("emulator", "seed", "apps").code == 0
    return project


def drifted(fleet: Project, name: str) -> None:
    """Let one document ask for something else than what is live."""
    with (fleet.folder / "apps" / f"{name}.yaml").open("a", encoding="utf-8") as file:
        file.write("ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {MinimumLength: 20}}}\n")


def lost(fleet: Project, name: str) -> None:
    """Let one document have a reference that leads nowhere."""
    with (fleet.folder / "apps" / f"{name}.yaml").open("a", encoding="utf-8") as file:
        file.write('ResourceConfig: {UserPoolConfigs: {OAuth: {DomainPrefix: "${env:RECONCILER_VAR_GONE}"}}}\n')


def test_targets_tells_what_would_be_touched_and_where_each_value_comes_from(fleet: Project) -> None:
    listed = fleet.run("targets", "apps", "--target", "shop-*")
    assert listed.code == 0
    assert listed.out == (
        "shop-dev  (apps/shop-dev.yaml:1:1)\n"
        "  app dshop, environment dev, resource shopauth\n"
        "  region        us-east-1                                  # reconciler.yaml:1:9\n"
        "  role_arn      arn:aws:iam::111122223333:role/reconciler  # reconciler.yaml:2:11\n"
        "  account       111122223333                               # reconciler.yaml:9:14\n"
        "  labels tier=dev, team=shop\n"
        f"{MANAGES}\n"
        "\n"
        "shop-prod  (apps/shop-prod.yaml:1:1)\n"
        "  app dshop, environment prod, resource shopauth\n"
        "  region        us-east-1                                  # reconciler.yaml:1:9\n"
        "  role_arn      arn:aws:iam::123456789012:role/reconciler  # reconciler.yaml:2:11\n"
        "  account       123456789012                               # reconciler.yaml:6:14\n"
        "  wave          1                                          # reconciler.yaml:7:11\n"
        "  labels tier=prod, team=shop\n"
        f"{MANAGES}\n"
        "\n"
        "2 targets, 1 left out.\n"
    )


def test_targets_for_a_machine_are_an_object_each(fleet: Project) -> None:
    listed = json.loads(fleet.run("targets", "apps", "--label", "tier=prod", "--format", "json").out)
    assert [target["name"] for target in listed["targets"]] == ["blog-prod", "shop-prod"]
    assert listed["targets"][0] == {
        "name": "blog-prod",
        "app": "dblog",
        "environment": "prod",
        "resource": "shopauth",
        "region": "us-east-1",
        "role_arn": "arn:aws:iam::123456789012:role/reconciler",
        "account": "123456789012",
        "wave": 1,
        "labels": {"tier": "prod", "team": "blog"},
        "origin": "apps/blog-prod.yaml:1:1",
        "from": {
            "region": "reconciler.yaml:1:9",
            "role_arn": "reconciler.yaml:2:11",
            "account": "reconciler.yaml:6:14",
            "wave": "reconciler.yaml:7:11",
        },
    }


def test_targets_tells_of_no_credentials_where_the_embedded_backend_asks_for_none(fleet: Project) -> None:
    listed = fleet.run("targets", "apps", "--target", "shop-prod", "--emulator", "--format", "json").out
    (target,) = json.loads(listed)["targets"]
    assert target["endpoint_url"] == "emulator"
    assert not {"role_arn", "account"} & set(target)


def test_targets_tells_of_the_endpoint_that_the_environment_configures(
    fleet: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYBACKEND", "http://127.0.0.1:9")
    (fleet.folder / "reconciler.yaml").write_text("region: us-east-1\n", encoding="utf-8")
    listed = fleet.run("targets", "apps", "--target", "shop-prod").out
    assert "  endpoint_url  http://127.0.0.1:9  # the environment or the profile\n" in listed


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--label", "tier=prod"), ["blog-prod", "shop-prod"]),
        (("--label", "tier=*", "--label", "team=shop"), ["shop-dev", "shop-prod"]),
        (("--label", "team=shop", "--exclude", "*-dev"), ["shop-prod"]),
        (("--target", "*-prod", "--label", "team=blog"), ["blog-prod"]),
    ],
)
def test_labels_choose_targets_that_have_all_of_them(
    fleet: Project, options: tuple[str, ...], names: list[str]
) -> None:
    made = json.loads(fleet.run("plan", "apps", "--emulator", "--format", "json", *options).out)
    assert [change["name"] for change in made["resource_changes"]] == names


@pytest.mark.parametrize(
    ("label", "code", "told"),
    [
        ("tier", 64, "--label takes KEY=VALUE"),
        ("tier=test", 64, "No target has the label tier=test"),
        ("owner=*", 64, "team=blog, team=shop, tier=dev, tier=prod"),
    ],
)
def test_a_label_that_nobody_has_is_a_slip_of_the_pen(fleet: Project, label: str, code: int, told: str) -> None:
    refused = fleet.run("plan", "apps", "--emulator", "--label", label)
    assert (refused.code, refused.out) == (code, "")
    assert told in refused.err


def test_a_reference_that_leads_nowhere_hides_no_other_plan(fleet: Project) -> None:
    lost(fleet, "blog-prod")
    drifted(fleet, "shop-prod")
    made = fleet.run("plan", "apps", "--emulator", "--detailed-exitcode")
    assert made.code == 6
    assert "# shop-prod will be updated in-place" in made.out
    assert "Error: blog-prod: its references can't be followed" in made.out
    assert "on apps/blog-prod.yaml line 6, column 58 (unset-reference)" in made.out
    assert "3 targets: 2 planned (1 changed, 1 unchanged), 1 failed." in made.out
    assert made.err.count("Reading live configuration") == 2


def test_apply_sends_nothing_while_a_reference_leads_nowhere_and_says_how_to_go_on(fleet: Project) -> None:
    lost(fleet, "blog-prod")
    drifted(fleet, "shop-prod")
    refused = fleet.run("apply", "apps", "--emulator", "--auto-approve")
    assert (refused.code, fleet.updates()) == (1, 0)
    assert "Nothing was sent: blog-prod could not be planned. Leave targets out with --exclude NAME." in refused.err
    applied = fleet.run(
        "apply", "apps", "--emulator", "--auto-approve", "--poll-interval", "0", "--exclude", "blog-prod"
    )
    assert (applied.code, fleet.updates()) == (0, 1)


def test_a_document_with_an_error_stops_the_run_before_anything_is_read(fleet: Project) -> None:
    (fleet.folder / "apps" / "bad.yaml").write_text("extends: ../base.yaml\nAppId: 8\n", encoding="utf-8")
    refused = fleet.run("plan", "apps", "--emulator")
    assert (refused.code, refused.out) == (1, "")
    assert "on apps/bad.yaml line 2" in refused.err
    assert fleet.emulator.requests("GetBackendAuth") == ()


def test_what_a_project_file_with_an_error_may_have_said_is_not_missed_in_documents(fleet: Project) -> None:
    (fleet.folder / "reconciler.yaml").write_text("region: us-east-1\nparalelism: 3\n", encoding="utf-8")
    refused = fleet.run("plan", "apps")
    assert refused.code == 1
    assert refused.err.endswith("\n1 error.\n")
    assert "(unknown-key)" in refused.err


def test_targets_asks_for_no_credentials(fleet: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = fleet.folder / "ran"
    (fleet.folder / "config").write_text(f"[profile asks]\ncredential_process = touch {ran}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(fleet.folder / "config"))
    with (fleet.folder / "reconciler.yaml").open("a", encoding="utf-8") as file:
        file.write("profile: asks\n")
    assert fleet.run("targets", "apps").code == 0
    assert not ran.exists()


def test_the_embedded_backend_is_reached_with_no_profile(fleet: Project) -> None:
    (fleet.folder / "reconciler.yaml").write_text("profile: nobody\n", encoding="utf-8")
    assert Services(Connection(emulator=True)).target("dshop", "prod", "shopauth").access.profile is None


def test_an_error_of_the_project_file_is_told_with_those_of_the_documents(fleet: Project) -> None:
    (fleet.folder / "reconciler.yaml").write_text("regions: us-east-1\n", encoding="utf-8")
    (fleet.folder / "apps" / "bad.yaml").write_text("extends: ../base.yaml\nAppId: 8\n", encoding="utf-8")
    refused = fleet.run("validate", "apps")
    assert refused.code == 1
    assert "on reconciler.yaml line 1, column 1 (unknown-key)" in refused.out
    assert "on apps/bad.yaml line 2, column 8 (wrong-type)" in refused.out


@pytest.mark.parametrize("region", ["cn-north-1", "us-foo-1", "xx-foo-1"])
@pytest.mark.parametrize("command", ["plan", "targets"])
def test_a_region_that_has_no_amplify_backend_is_told_before_any_call(
    fleet: Project, region: str, command: str
) -> None:
    (fleet.folder / "reconciler.yaml").write_text(f"region: {region}\n", encoding="utf-8")
    refused = fleet.run(command, "apps")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.count("(region-without-service)") == 1
    assert "on reconciler.yaml line 1, column 9" in refused.err


def test_an_endpoint_of_one_document_answers_for_no_other(fleet: Project) -> None:
    (fleet.folder / "reconciler.yaml").write_text("region: us-foo-1\n", encoding="utf-8")
    with (fleet.folder / "apps" / "blog-prod.yaml").open("a", encoding="utf-8") as file:
        file.write("endpoint_url: http://127.0.0.1:9\n")
    refused = fleet.run("targets", "apps")
    assert refused.code == 1
    assert refused.err.count("(region-without-service)") == 1
    assert fleet.run("targets", "apps", "--target", "blog-prod").code == 0


def test_an_open_variable_may_stand_anywhere_once_the_project_names_it(
    fleet: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DOMAIN", "shop-signin")
    document = fleet.folder / "apps" / "shop-prod.yaml"
    with document.open("a", encoding="utf-8") as file:
        file.write('ResourceConfig: {UserPoolConfigs: {OAuth: {DomainPrefix: "${env:SHOP_DOMAIN}"}}}\n')
    refused = fleet.run("plan", str(document), "--emulator")
    assert refused.code == 1
    assert "(reference-not-allowed)" in refused.err
    with (fleet.folder / "reconciler.yaml").open("a", encoding="utf-8") as file:
        file.write("env_names: [SHOP_DOMAIN]\n")
    assert fleet.run("plan", str(document), "--emulator", "--detailed-exitcode").code == 0


@pytest.fixture
def with_credentials(fleet: Project, moto: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The fleet with credentials of an account of moto's, whose STS tells so."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    return fleet


def test_credentials_of_another_account_than_the_documents_stop_that_target_alone(with_credentials: Project) -> None:
    (with_credentials.folder / "reconciler.yaml").write_text(
        f"region: us-east-1\naccount: '{MOTOS_ACCOUNT}'\n"
        "overrides: [{match: {name: '*-dev'}, account: '111122223333'}]\n",
        encoding="utf-8",
    )
    services = Services(Connection())
    located = services.locate(services.load(["apps"], Selection(), stdin=bytes, network=True))
    assert [desired.name for desired in located.desired] == ["blog-prod", "shop-prod"]
    assert not located.warnings
    refused = with_credentials.run("plan", "apps", "--target", "*-dev")
    assert refused.code == 5
    assert "shop-dev: these credentials are not of account 111122223333, where the target is" in refused.out
    assert f"they are of {MOTOS_ACCOUNT}" in refused.out


@pytest.mark.usefixtures("with_credentials")
def test_each_target_is_reached_with_the_role_of_its_own_account() -> None:
    services = Services(Connection())
    located = services.locate(services.load(["apps"], Selection(), stdin=bytes, network=True))
    # moto takes any role, and tells the account that it is of.
    assert [(desired.name, desired.target.account) for desired in located.desired] == [
        ("blog-prod", MOTOS_ACCOUNT),
        ("shop-dev", "111122223333"),
        ("shop-prod", MOTOS_ACCOUNT),
    ]
    sessions = services.sessions
    assert {sessions.caller(desired.access, "us-east-1") for desired in located.desired} == {
        f"arn:aws:sts::{account}:assumed-role/reconciler/reconciler" for account in (MOTOS_ACCOUNT, "111122223333")
    }


def test_a_ledger_in_s3_is_reached_after_sts_was_asked(
    with_credentials: Project, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = new_bucket(moto, monkeypatch)
    (with_credentials.folder / "reconciler.yaml").write_text(
        f"region: us-east-1\nledger: s3://{bucket}/auth\n", encoding="utf-8"
    )
    services = Services(Connection(), first_path="apps")
    located = services.locate(services.load(["apps"], Selection(), stdin=bytes, network=True))
    for desired in located.desired:
        services.reader_of(desired)
    assert services.books.remembered(located.desired)(located.desired[0]).notices == ()


def test_the_projects_profile_and_region_reach_its_ledger_and_a_pull(
    fleet: Project, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = "[profile platform]\naws_access_key_id = 000000000000\naws_secret_access_key = x\n"
    (fleet.folder / "config").write_text(profile, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(fleet.folder / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYBACKEND", "http://127.0.0.1:9")
    (fleet.folder / "reconciler.yaml").write_text("region: eu-west-1\nprofile: platform\n", encoding="utf-8")
    target = Services(Connection(), environ={}).target("dshop", "prod", "shopauth")
    assert (target.target.region, target.access.profile) == ("eu-west-1", "platform")
    bucket = new_bucket(moto, monkeypatch)  # with credentials that only the profile has
    with (fleet.folder / "reconciler.yaml").open("a", encoding="utf-8") as file:
        file.write(f"ledger: s3://{bucket}/auth\n")
    assert list(Services(Connection(), environ={}).books.ledger.runs()) == []


def test_apply_sends_nothing_while_nobody_can_tell_whose_the_credentials_are(
    fleet: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    (fleet.folder / "reconciler.yaml").write_text(f"region: us-east-1\naccount: '{MOTOS_ACCOUNT}'\n", encoding="utf-8")
    refused = fleet.run("apply", "apps", "--auto-approve")
    assert (refused.code, refused.out) == (5, "")
    assert "blog-prod: nobody can tell whether these credentials are of its account" in refused.err


def test_a_program_for_credentials_that_is_not_there_is_its_targets_trouble_alone(
    fleet: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = "[profile broken]\ncredential_process = /no/such/program\n"
    (fleet.folder / "config").write_text(profiles, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(fleet.folder / "config"))
    (fleet.folder / "reconciler.yaml").write_text(
        "region: us-east-1\noverrides: [{match: {name: shop-dev}, profile: broken}]\n", encoding="utf-8"
    )
    planned = fleet.run("plan", "apps", "--target", "shop-dev", "--strict")
    assert planned.code == 5
    assert "shop-dev: the program that the profile names for its credentials can't be run" in planned.out


def test_no_reference_is_followed_with_credentials_of_another_account(with_credentials: Project) -> None:
    (with_credentials.folder / "reconciler.yaml").write_text(
        "region: us-east-1\naccount: '111122223333'\n", encoding="utf-8"
    )
    lost(with_credentials, "shop-dev")
    refused = with_credentials.run("plan", "apps", "--target", "shop-dev")
    assert refused.code == 5
    assert "not of account 111122223333" in refused.out
    assert "unset-reference" not in refused.out


def test_an_account_that_sts_does_not_tell_is_one_warning_for_all_that_are_reached_alike(
    fleet: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    (fleet.folder / "reconciler.yaml").write_text("region: us-east-1\n", encoding="utf-8")
    services = Services(Connection())
    (warning,) = services.locate(services.load(["apps"], Selection(), stdin=bytes, network=True)).warnings
    assert (warning.code, warning.target) == ("unknown-account", "blog-prod")
    assert warning.detail.endswith("; so it is for 2 more targets")


def test_the_project_gives_parallelism_and_patience_where_the_command_says_nothing(fleet: Project) -> None:
    with (fleet.folder / "reconciler.yaml").open("a", encoding="utf-8") as file:
        file.write("poll_interval: 0\njob_timeout: 30\n")
    drifted(fleet, "shop-prod")
    applied = fleet.run("apply", "apps", "--emulator", "--auto-approve")
    assert applied.code == 0
    assert Services(Connection(), first_path="apps").parallelism == 3
    assert Services(Connection(), first_path="apps", parallelism=5).parallelism == 5


def test_a_saved_plan_finds_the_project_that_it_was_made_in(
    fleet: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    above = fleet.folder.parent
    monkeypatch.chdir(above)
    folder = fleet.folder.name
    with (fleet.folder / "reconciler.yaml").open("a", encoding="utf-8") as file:
        file.write("poll_interval: 0\n")
    drifted(fleet, "shop-prod")
    kept = tmp_path_factory.mktemp("kept") / "p.json"
    assert fleet.run("plan", f"{folder}/apps", "--emulator", "--out", str(kept)).code == 0
    applied = fleet.run("apply", str(kept), "--emulator")
    assert applied.code == 0, applied
    assert fleet.updates() == 1
    assert (fleet.folder / ".reconciler" / "emulator" / "ledger" / "runs").exists()
    assert not (above / ".reconciler").exists()


def test_a_plan_is_applied_in_no_other_project_than_its_own(fleet: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    above = fleet.folder.parent
    drifted(fleet, "shop-prod")
    assert fleet.run("plan", "apps", "--emulator", "--out", "p.json").code == 0
    monkeypatch.chdir(above)
    marker = above / ".git"
    marker.mkdir()
    try:
        refused = fleet.run("apply", f"{fleet.folder.name}/p.json", "--emulator")
    finally:
        marker.rmdir()
    assert (refused.code, fleet.updates()) == (3, 0)
    assert f"the project here is {above}, and where the plan lies it is {fleet.folder}" in refused.err
    assert not (above / ".reconciler").exists()


def test_a_plan_whose_project_is_not_here_is_refused(
    fleet: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(fleet.folder.parent)
    drifted(fleet, "shop-prod")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    made = fleet.run("plan", f"{fleet.folder.name}/apps", "--emulator", "--out", str(elsewhere / "p.json"))
    assert made.code == 0
    monkeypatch.chdir(elsewhere)
    refused = fleet.run("apply", "p.json", "--emulator")
    assert (refused.code, fleet.updates()) == (3, 0)
    assert f"there is no project in {fleet.folder.name} here" in refused.err


def test_who_looks_in_another_folder_is_told_where_the_project_is(
    fleet: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.folder.parent)
    fleet.switch("job_seconds=60")
    drifted(fleet, "shop-prod")
    options = ("--emulator", "--auto-approve", "--poll-interval", "0", "--job-timeout", "0")
    left = fleet.run("apply", f"{fleet.folder.name}/apps", *options)
    assert left.code == 9
    ledger = f"{fleet.folder.name}/.reconciler/emulator/ledger"
    assert f"Note: the project is {fleet.folder.name}: apply --resume, history and unlock find this there" in left.err
    assert "--ledger" not in left.err, "the embedded backend of this folder knows nothing of the update"
    listed = fleet.run("history", "--emulator", "--ledger", str(fleet.folder.parent / ledger))
    assert "shop-prod" in listed.out


def test_a_glob_is_as_good_as_a_folder(fleet: Project) -> None:
    by_glob = fleet.run("plan", str(Path("apps", "*-prod.yaml")), "--emulator")
    assert (by_glob.code, by_glob.out) == (0, fleet.run("plan", "apps", "--emulator", "--label", "tier=prod").out)
