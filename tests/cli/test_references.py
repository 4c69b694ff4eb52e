"""References to SSM and Secrets Manager over HTTP, through whole commands: what is fetched, and never shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from reconciler.emulator import Fault, Server
from reconciler.wiring import Connection, Services
from tests.cli.conftest import Project

SECRET, OTHER = "GOCSPX-canary-8f13aa", "GOCSPX-canary-second"
MESSAGE = "Canary message 5d2b: your code is {####}"
PROVIDER = """\
      SocialProviderSettings:
        Google:
          ClientId: {id}
          ClientSecret: {secret}
"""
REGION = "us-east-1"
AT_ONCE = ("--poll-interval", "0")


@pytest.fixture
def store(project: Project, moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """SSM and Secrets Manager with a few values, and a project that reaches them."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_SSM": moto,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto,
        "AWS_ENDPOINT_URL_STS": moto,
    }.items():
        monkeypatch.setenv(name, value)
    made = Store(project)
    made.parameter("/shop/google", SECRET)
    made.parameter("/shop/client-id", "1234-shop", kind="String")
    made.parameter("/shop/message", MESSAGE)
    made.parameter("/shop/several", "a,b", kind="StringList")
    made.secret("shop/google", json.dumps({"web": {"secret": SECRET}, "flag": True, "list": []}))
    made.secret("shop/plain", SECRET)
    yield made
    made.clear()


class Store:
    """What is in SSM and Secrets Manager."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._ssm: Any = boto3.client("ssm", region_name=REGION)
        self._secrets: Any = boto3.client("secretsmanager", region_name=REGION)
        self._parameters: set[str] = set()
        self._names: set[str] = set()

    def parameter(self, name: str, value: str, *, kind: str = "SecureString") -> None:
        self._ssm.put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)
        self._parameters.add(name)

    def secret(self, name: str, value: str) -> None:
        if name in self._names:
            self._secrets.put_secret_value(SecretId=name, SecretString=value)
        else:
            self._secrets.create_secret(Name=name, SecretString=value)
        self._names.add(name)

    def clear(self) -> None:
        for name in self._parameters:
            self._ssm.delete_parameter(Name=name)
        for name in self._names:
            self._secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def write(self, secret: str, identity: str = "1234-shop") -> None:
        """Let the document link Google."""
        text = self.project.document.read_text(encoding="utf-8")
        text = re.split("(?m)^ *(?:# Social logins|SocialProviderSettings)", text)[0]
        self.project.document.write_text(text + PROVIDER.format(id=identity, secret=secret), encoding="utf-8")

    def linked(self) -> dict[str, str]:
        """What is live of Google."""
        config = self.project.emulator.live("000000000000", REGION, "d2k7example", "prod")
        assert config is not None
        linked: dict[str, str] = config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
        return linked

    def written(self) -> dict[str, bytes]:
        """Every file that was written, but for what plays the service, and the document."""
        return {
            str(path): path.read_bytes()
            for path in Path().rglob("*")
            if path.is_file() and "state.sqlite" not in path.name and path.name != "auth.yaml"
        }


@pytest.mark.parametrize(
    "reference",
    [
        "${ssm:/shop/google}",
        "${ssm:/shop/google:1}",
        "${ssm:/shop/google?region=us-east-1}",
        "${secretsmanager:shop/plain}",
        "${secretsmanager:shop/google#web.secret}",
        "${secretsmanager:shop/google?version_stage=AWSCURRENT#web.secret}",
        "${ssm:/shop/google?role_arn=arn:aws:iam::123456789012:role/reader}",
    ],
)
def test_a_secret_at_aws_is_sent_and_never_written(store: Store, reference: str) -> None:
    store.write(reference)
    applied = store.project.run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE, "--debug")
    assert applied.code == 0, applied.err
    assert store.linked()["ClientSecret"] == SECRET
    assert SECRET not in applied.out + applied.err
    assert not any(SECRET.encode() in content for content in store.written().values())


def test_versions_are_selected(store: Store) -> None:
    store.parameter("/shop/google", OTHER)
    store.secret("shop/plain", OTHER)
    for reference in ("${ssm:/shop/google:1}", "${secretsmanager:shop/plain?version_stage=AWSPREVIOUS}"):
        store.write(reference)
        assert (
            store.project.run("apply", "auth.yaml", "--emulator", "--auto-approve", "--send-secrets", *AT_ONCE).code
            == 0
        )
        assert store.linked()["ClientSecret"] == SECRET


@pytest.mark.parametrize(
    ("reference", "code", "said"),
    [
        ("${ssm:/shop/nothing}", "unset-reference", "/shop/nothing"),
        ("${ssm:/shop/google:99}", "unset-reference", "/shop/google:99"),
        ("${ssm:/shop/several}", "unreadable-reference", "StringList"),
        ("${secretsmanager:shop/nothing}", "unset-reference", "shop/nothing"),
        ("${secretsmanager:shop/google#web.nothing}", "unset-reference", "web.nothing"),
        ("${secretsmanager:shop/google#web}", "wrong-type", "#web"),
        ("${secretsmanager:shop/google#list}", "wrong-type", "#list"),
        ("${secretsmanager:shop/plain#key}", "wrong-type", "not JSON"),
    ],
)
def test_what_can_not_be_had_is_an_error_with_the_reference_and_its_place(
    store: Store, reference: str, code: str, said: str
) -> None:
    store.write(reference)
    planned = store.project.run("plan", "auth.yaml", "--emulator", "--debug")
    assert planned.code == 1
    assert "on auth.yaml line 49, column 25" in planned.out
    assert code in planned.out
    assert said in planned.out
    assert SECRET not in planned.out + planned.err


def test_a_reference_that_is_denied_ends_as_every_lack_of_a_permission(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    store.write("${ssm:/shop/google}")
    planned = store.project.run("plan", "auth.yaml", "--emulator")
    assert planned.code == 5
    assert "reference-denied" in planned.out
    assert "--without-secrets" in planned.out
    assert "--emulator" not in planned.out
    assert "${ssm:/shop/google}" in planned.out


def test_references_are_fetched_for_the_targets_that_are_meant_only(store: Store) -> None:
    store.write("${ssm:/shop/nothing}")
    text = store.project.document.read_text(encoding="utf-8")
    for old, new in (("Name: prod", "Name: staging"), ("name: shop-prod", "name: other"), ("nothing", "google")):
        text = text.replace(old, new)
    Path("other.yaml").write_text(text, encoding="utf-8")
    run = store.project.run
    assert "unset-reference" in run("plan", "auth.yaml", "other.yaml", "--emulator").out
    assert run("plan", "auth.yaml", "other.yaml", "--emulator", "--target", "other").code == 0


def test_without_secrets_nothing_is_fetched_and_the_saved_plan_is_applied_with_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("${ssm:/shop/google}")
    with monkeypatch.context() as fork:
        fork.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
        planned = store.project.run("plan", "auth.yaml", "--emulator", "--without-secrets", "--out", "plan.json")
        drifted = store.project.run("drift", "auth.yaml", "--emulator", "--without-secrets")
    assert (planned.code, drifted.code) == (0, 2)
    assert "Apply sends what they point to then" in planned.out
    assert "RECONCILER_LEDGER_KEY" not in planned.out
    assert store.project.run("apply", "plan.json", "--emulator", *AT_ONCE).code == 0
    assert store.linked()["ClientSecret"] == SECRET


# --- free text that is secret ----------------------------------------------------------------------


def test_a_plain_parameter_is_shown_and_a_secure_one_is_not(store: Store) -> None:
    store.write("${ssm:/shop/google}", identity="${ssm:/shop/client-id}")
    store.project.edit('"Your verification code is {####}"', '"${ssm:/shop/message}"')
    for format_ in ("text", "json", "markdown"):
        planned = store.project.run("plan", "auth.yaml", "--emulator", "--format", format_, "--out", "plan.json")
        assert planned.code == 0, planned.err
        assert "1234-shop" in planned.out
        assert MESSAGE not in planned.out + planned.err
        assert "5d2b" not in Path("plan.json").read_text(encoding="utf-8")
    assert "~ EmailMessage (sensitive value changed)" in store.project.run("plan", "auth.yaml", "--emulator").out
    assert "${ssm:/shop/message}" in Path("plan.json").read_text(encoding="utf-8")


def test_secret_free_text_is_applied_is_then_no_change_and_comes_back_by_restore(store: Store) -> None:
    store.project.edit('"Your verification code is {####}"', '"${ssm:/shop/message}"')
    run = store.project.run
    applied = run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE)
    assert applied.code == 0, applied.err
    config = store.project.emulator.live("000000000000", REGION, "d2k7example", "prod")
    assert config is not None
    assert config["UserPoolConfigs"]["VerificationMessage"]["EmailSettings"]["EmailMessage"] == MESSAGE
    again = run("plan", "auth.yaml", "--emulator", "--detailed-exitcode")
    assert again.code == 0, again.out
    name = run("history", "--emulator").out.splitlines()[1].split()[0]
    shown = run("history", name, "--emulator")
    restored = run("restore", name, "--emulator", "--auto-approve", *AT_ONCE)
    assert restored.code == 0, restored.err
    told = applied.out + applied.err + again.out + shown.out + restored.out + restored.err
    assert "5d2b" not in told
    assert not any(b"5d2b" in content for content in store.written().values())


def test_secret_free_text_that_breaks_a_rule_is_told_without_a_word_of_it(store: Store) -> None:
    store.parameter("/shop/message", "Canary 5d2b without a place for the code")
    store.project.edit('"Your verification code is {####}"', '"${ssm:/shop/message}"')
    planned = store.project.run("plan", "auth.yaml", "--emulator")
    assert planned.code == 1
    assert "missing-placeholder" in planned.out
    assert "5d2b" not in planned.out + planned.err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MinimumLength: 12", "MinimumLength: ${ssm:/shop/google}"),
        ("DomainPrefix: shop-signin", "DomainPrefix: ${secretsmanager:shop/plain}"),
        ("        - https://shop.example.com/callback/", "        - ${ssm:/shop/google}"),
        ("MFAMode: OPTIONAL", "MFAMode: ${secretsmanager:shop/google#flag}"),
    ],
)
def test_a_secret_may_not_stand_where_a_plan_must_show_what_it_does(store: Store, old: str, new: str) -> None:
    store.project.edit(old, new)
    planned = store.project.run("plan", "auth.yaml", "--emulator")
    assert planned.code == 1
    told = planned.out + planned.err  # where the reference alone tells, the document is wrong; else its target fails
    assert "reference-not-allowed" in told
    assert "String" in told
    assert SECRET not in told


@pytest.fixture
def hiding(store: Store) -> Store:
    """A message that is secret, live and written."""
    store.project.edit('"Your verification code is {####}"', '"${ssm:/shop/message}"')
    applied = store.project.run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE)
    assert applied.code == 0, applied.err
    return store


@pytest.mark.parametrize("instead", ['EmailMessage: "Hello {####}"', "# EmailMessage is not managed"])
def test_a_text_that_was_secret_stays_so_when_the_document_no_longer_says_it(hiding: Store, instead: str) -> None:
    hiding.project.edit('EmailMessage: "${ssm:/shop/message}"', instead)
    hiding.project.edit("MinimumLength: 12", "MinimumLength: 13")
    run, told = hiding.project.run, ""
    for format_ in ("text", "json", "markdown"):
        planned = run("plan", "auth.yaml", "--emulator", "--format", format_, "--out", "plan.json")
        told += planned.out + planned.err
    applied = run("apply", "plan.json", "--emulator", *AT_ONCE)
    assert applied.code == 0, applied.err
    name = run("history", "--emulator").out.splitlines()[1].split()[0]
    restored = run("restore", name, "--emulator", "--auto-approve", *AT_ONCE)
    told += applied.out + applied.err + run("history", name, "--emulator", "--format", "json").out + restored.out
    assert "5d2b" not in told
    assert not any(b"5d2b" in content for content in hiding.written().values())
    assert ('(sensitive value) -> "Hello {####}"' in told) is instead.startswith("EmailMessage")


def test_a_text_that_was_secret_stays_so_when_another_one_did_not_arrive(hiding: Store) -> None:
    hiding.project.edit('"${ssm:/shop/message}"', '"Hello {####}"')
    hiding.project.emulator.inject([Fault.parse("job_failed,operation=UpdateBackendAuth,text=Error: no")])
    run = hiding.project.run
    assert run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE).code == 1
    planned = run("plan", "auth.yaml", "--emulator")
    assert '(sensitive value) -> "Hello {####}"' in planned.out


def test_a_text_that_was_secret_is_shown_again_once_another_one_stands_there(hiding: Store) -> None:
    hiding.project.edit('"${ssm:/shop/message}"', '"Hello {####}"')
    run = hiding.project.run
    assert run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE).code == 0
    hiding.project.edit('"Hello {####}"', '"Good day {####}"')
    assert '~ EmailMessage = "Hello {####}" -> "Good day {####}"' in run("plan", "auth.yaml", "--emulator").out


def test_a_text_that_was_secret_stays_so_after_its_block_was_gone(hiding: Store) -> None:
    run, emulator = hiding.project.run, hiding.project.emulator
    hiding.project.edit('SmsMessage: "Your code is {####}"', 'SmsMessage: "${ssm:/shop/message}"')
    assert run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE).code == 0
    settings = emulator.live("000000000000", REGION, "d2k7example", "prod")
    text = hiding.project.document.read_text(encoding="utf-8")
    start, end = text.index("      MFAMode"), text.index("    PasswordPolicy")
    hiding.project.document.write_text(text[:start] + "      MFAMode: 'OFF'\n" + text[end:], encoding="utf-8")
    assert run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE).code == 0
    assert settings is not None
    emulator.put_live("000000000000", REGION, "d2k7example", "prod", "shopauth", settings)  # in the console
    planned = run("plan", "auth.yaml", "--emulator")
    assert "- SmsMessage = (sensitive value)" in planned.out
    assert "5d2b" not in planned.out


def test_a_ledger_that_can_not_be_read_hides_every_text_that_may_be_secret(hiding: Store) -> None:
    hiding.project.edit('"${ssm:/shop/message}"', '"Hello {####}"')
    (journal,) = Path(".reconciler/emulator/ledger/journal").iterdir()
    kept = journal.read_bytes()
    journal.write_text("{", encoding="utf-8")
    run = hiding.project.run
    planned = run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    pulled = run("pull", "--app-id", "d2k7example", "--env", "prod", "--emulator")
    assert '(sensitive value) -> "Hello {####}"' in planned.out
    assert "whether an update is under way is not known" in planned.out
    assert "5d2b" not in planned.out + pulled.out + Path("plan.json").read_text(encoding="utf-8")
    assert "may be secret are left out" in pulled.err
    journal.write_bytes(kept)
    assert run("apply", "plan.json", "--emulator", *AT_ONCE).code == 0
    assert not any(b"5d2b" in content for content in hiding.written().values())


def test_a_plan_that_shows_what_the_ledger_knows_for_a_secret_is_refused(hiding: Store) -> None:
    hiding.project.edit('"${ssm:/shop/message}"', '"Hello {####}"')
    run = hiding.project.run
    elsewhere = ("--emulator", "--ledger", "elsewhere")
    assert "5d2b" in run("plan", "auth.yaml", *elsewhere, "--out", "plan.json").out  # this ledger knows of nothing
    applied = run("apply", "plan.json", "--emulator", *AT_ONCE)
    assert applied.code == 3
    assert "EmailMessage" in applied.out
    assert not any(b"5d2b" in kept for name, kept in hiding.written().items() if "plan.json" not in name)


def test_a_way_back_names_the_secret_text_that_nobody_kept(hiding: Store) -> None:
    hiding.project.edit('"${ssm:/shop/message}"', '"Hello {####}"')
    run = hiding.project.run
    assert run("apply", "auth.yaml", "--emulator", "--auto-approve", *AT_ONCE).code == 0
    name = run("history", "--emulator").out.splitlines()[1].split()[0]
    restored = run("restore", name, "--emulator", "--auto-approve", *AT_ONCE)
    assert "EmailMessage stays as it is now: nobody kept what it was" in restored.out


def test_without_secrets_free_text_that_may_not_be_read_is_secret(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.project.edit('"Your verification code is {####}"', '"${ssm:/shop/message}"')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    planned = store.project.run("plan", "auth.yaml", "--emulator", "--without-secrets")
    assert planned.code == 0, planned.err
    assert "~ EmailMessage (sensitive value, will be set)" in planned.out


def test_pull_leaves_out_a_text_that_is_secret(hiding: Store) -> None:
    pulled = hiding.project.run("pull", "--app-id", "d2k7example", "--env", "prod", "--emulator")
    assert "EmailSubject" in pulled.out
    assert "5d2b" not in pulled.out


def test_without_secrets_free_text_from_secrets_manager_is_not_fetched_either(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.secret("shop/message", MESSAGE)
    store.project.edit('"Your verification code is {####}"', '"${secretsmanager:shop/message}"')
    with monkeypatch.context() as fork:
        fork.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
        planned = store.project.run("plan", "auth.yaml", "--emulator", "--without-secrets", "--out", "plan.json")
    assert planned.code == 0, planned.err
    assert "~ EmailMessage (sensitive value, will be set)" in planned.out
    assert store.project.run("apply", "plan.json", "--emulator", *AT_ONCE).code == 0
    assert "No changes" in store.project.run("plan", "auth.yaml", "--emulator").out


def test_a_saved_plan_whose_secret_is_denied_ends_as_every_lack_of_a_permission(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("${ssm:/shop/google}")
    assert store.project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json").code == 0
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    applied = store.project.run("apply", "plan.json", "--emulator")
    assert applied.code == 5
    assert "${ssm:/shop/google}" in applied.out


# --- the ledger's key ------------------------------------------------------------------------------


def test_the_ledger_s_key_may_be_a_reference_of_the_project_file(store: Store, server: Server) -> None:
    store.parameter("/reconciler/key", "k" * 32)
    Path("reconciler.yaml").write_text("ledger_key: ${ssm:/reconciler/key}\n", encoding="utf-8")
    store.write("${ssm:/shop/google}")
    run = store.project.run
    assert run("apply", "auth.yaml", "--endpoint-url", server.url, "--auto-approve", *AT_ONCE).code == 0
    planned = run("plan", "auth.yaml", "--endpoint-url", server.url, "--detailed-exitcode")
    assert (planned.code, "unproven" in planned.out) == (0, False)
    store.parameter("/shop/google", OTHER)
    drifted = run("drift", "auth.yaml", "--endpoint-url", server.url)
    assert drifted.code == 2
    assert drifted.out.count("(sensitive value changed)") == 1
    assert not any(b"k" * 32 in content for content in store.written().values())


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("${file:key.txt}", 64, "kept with what it protects"),
        ("${ssm:/reconciler/key}", 64, "names no region"),
        ("${env:SHORT}", 64, "32 bytes or more"),
        ("hunter2hunter2hunter2hunter2hunter2", 1, "plaintext-secret"),
        ("${env:SHORT:-hunter2hunter2hunter2hunter2hunter2}", 1, "plaintext-secret"),
    ],
)
def test_a_key_that_can_not_be_used_is_told(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch, written: str, code: int, said: str
) -> None:
    monkeypatch.setenv("SHORT", "hunter2")
    if said == "names no region":
        monkeypatch.delenv("AWS_DEFAULT_REGION")
    Path("key.txt").write_text("hunter2" * 10, encoding="utf-8")
    Path("reconciler.yaml").write_text(f'ledger_key: "{written}"\n', encoding="utf-8")
    store.write("${ssm:/shop/google}")
    planned = store.project.run("plan", "auth.yaml", "--endpoint-url", server.url)
    assert planned.code == code
    assert said in planned.err
    assert "hunter2" not in planned.out + planned.err


def test_what_an_earlier_run_left_open_is_settled_without_the_key(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.parameter("/reconciler/key", "k" * 32)
    Path("reconciler.yaml").write_text("ledger_key: ${ssm:/reconciler/key}\n", encoding="utf-8")
    store.write("${ssm:/shop/google}")
    run = store.project.run
    store.project.switch("job_seconds=1")
    reach = ("--endpoint-url", server.url)
    cut = run("apply", "auth.yaml", *reach, "--auto-approve", *AT_ONCE, "--job-timeout", "0")
    assert cut.code == 9
    with monkeypatch.context() as offline:
        offline.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
        resumed = run("apply", "--resume", "--endpoint-url", server.url, "--poll-interval", "0.2")
    assert resumed.code == 0, resumed.err
    assert "unproven" not in run("plan", "auth.yaml", "--endpoint-url", server.url).out


def test_a_key_that_can_not_be_had_stops_no_look_and_every_apply(store: Store, server: Server) -> None:
    Path("reconciler.yaml").write_text("ledger_key: ${ssm:/reconciler/nothing}\n", encoding="utf-8")
    store.write("${ssm:/shop/google}")
    reach = ("--endpoint-url", server.url)
    planned = store.project.run("plan", "auth.yaml", *reach)
    assert (planned.code, "ledger-key-missing" in planned.out) == (0, True)
    assert "${ssm:/reconciler/nothing}" in planned.out
    assert store.project.run("drift", "auth.yaml", *reach).code == 2
    applied = store.project.run("apply", "auth.yaml", *reach, "--auto-approve", *AT_ONCE)
    assert (applied.code, "unset-reference" in applied.err) == (1, True)
    assert store.project.updates() == 0


def test_the_embedded_backend_asks_for_no_project_s_key(store: Store) -> None:
    Path("reconciler.yaml").write_text("ledger_key: ${ssm:/reconciler/nothing}\n", encoding="utf-8")
    store.write("${ssm:/shop/google}")
    assert store.project.run("plan", "auth.yaml", "--emulator").code == 0


def test_the_key_of_the_ledger_is_looked_for_in_the_projects_region(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.parameter("/shop/key", "k" * 40)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    Path("reconciler.yaml").write_text(
        f"region: {REGION}\nledger_key: ${{ssm:/shop/key}}\nledger: ../kept\n", encoding="utf-8"
    )
    assert Services(Connection()).books.key is not None
