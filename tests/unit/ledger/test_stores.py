"""Stores: an object is written whole or not at all, by one of many, wherever it is kept."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import boto3
import pytest

from reconciler.aws.session import Sessions, Transport
from reconciler.aws.store import S3Store
from reconciler.core.model import Access
from reconciler.core.store import Store, parse_location
from reconciler.errors import AccessProblem, LedgerProblem
from reconciler.ledger.folder import FolderStore
from tests.unit.ledger.conftest import OPEN, Answer, Start, Wire, opened, tell, told

RACER = f"""{OPEN}
store = opened(sys.argv[1])
me = sys.argv[2].encode()
print("ready", flush=True)
sys.stdin.readline()
print(store.put_if_absent("race/new", me), store.put_if_match("race/old", me, sys.argv[3]), flush=True)
"""
WRITER = f"""{OPEN}
import hashlib
store = opened(sys.argv[1])
tags = [None] * 4
count = 0
while True:
    body = str(count).encode() * 50_000
    data = hashlib.sha256(body).hexdigest().encode() + body
    key = f"objects/{{count % 4}}"
    tag = tags[count % 4]
    tags[count % 4] = store.put_if_absent(key, data) if tag is None else store.put_if_match(key, data, tag)
    count += 1
    if count in (8, 80):
        print(count, flush=True)
"""
OBJECTS = {
    "nothing": b"",
    "text": '{"who": "Zoë", "sign": "\u2028✓"}\n'.encode(),
    "every byte": bytes(range(256)) + b"\r\n\0",
    "much": os.urandom(300_000),
}


# --- what holds for every store ----------------------------------------------------------------


def test_a_place_that_nobody_wrote_to_is_empty(store: Store) -> None:
    assert store.get("runs/1/shop.json") is None
    assert store.list("") == ()
    assert store.list("runs/") == ()
    assert store.put_if_match("runs/1/shop.json", b"new", "tag") is None
    assert store.get("runs/1/shop.json") is None


def test_a_place_is_called_as_people_write_it(store: Store, location: str) -> None:
    assert store.name == location


@pytest.mark.parametrize("data", OBJECTS.values(), ids=OBJECTS.keys())
def test_what_was_written_is_read_byte_for_byte(store: Store, location: str, data: bytes) -> None:
    tag = store.put_if_absent("runs/1/shop.json", data)
    read = opened(location).get("runs/1/shop.json")
    assert read is not None
    assert (read.data, read.tag) == (data, tag)
    assert 0 <= read.age < 60


def test_an_object_that_is_there_is_not_written_as_a_new_one(store: Store) -> None:
    assert store.put_if_absent("plan", b"first") is not None
    assert store.put_if_absent("plan", b"second") is None
    read = store.get("plan")
    assert read is not None
    assert read.data == b"first"


def test_a_version_is_replaced_by_whoever_knows_it(store: Store) -> None:
    first = store.put_if_absent("plan", b"first")
    assert first is not None
    second = store.put_if_match("plan", b"second", first)
    assert second not in {None, first}
    assert store.put_if_match("plan", b"third", first) is None
    read = store.get("plan")
    assert read is not None
    assert (read.data, read.tag) == (b"second", second)


def test_keys_are_listed_by_their_beginning_and_sorted(store: Store, location: str) -> None:
    keys = [f"runs/{number:04}/shop.json" for number in range(45)]
    for key in [*keys, "runs.json", "plans/a-b", "plans/a_b", "plans/a.b", "plans/a/b"]:
        assert store.put_if_absent(key, key.encode()) is not None
    assert opened(f"{location}2").put_if_absent("runs/elsewhere", b"a neighbour's") is not None
    assert store.list("runs/") == tuple(keys)
    assert store.list("runs/001") == tuple(keys[10:20])
    assert store.list("runs/0001/shop.json") == (keys[1],)
    assert store.list("plans/a") == ("plans/a-b", "plans/a.b", "plans/a/b", "plans/a_b")
    assert store.list("") == tuple(sorted([*store.list("plans/"), *keys, "runs.json"]))
    assert store.list("nothing/here") == ()


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "../up", "runs/../up", "runs//a", "runs/", ".lock", "a/.b", "a b", "ä", "a\n"]
)
def test_what_is_no_key_is_refused(store: Store, key: str) -> None:
    for attempt in (
        lambda: store.get(key),
        lambda: store.put_if_absent(key, b""),
        lambda: store.put_if_match(key, b"", "tag"),
    ):
        with pytest.raises(ValueError, match="is no key"):
            attempt()


@pytest.mark.parametrize("prefix", ["/", "..", "runs/../", "runs//", ".", "runs/.", "a\n"])
def test_what_begins_no_key_is_refused(store: Store, prefix: str) -> None:
    with pytest.raises(ValueError, match="begins no key"):
        store.list(prefix)


def test_of_many_threads_one_writes_a_new_object(store: Store) -> None:
    won = race(lambda me: store.put_if_absent("race", me))
    assert len(won) == 1
    read = store.get("race")
    assert read is not None
    assert (read.data, read.tag) == won[0]


def test_of_many_threads_one_replaces_a_version(store: Store) -> None:
    old = store.put_if_absent("race", b"old")
    assert old is not None
    won = race(lambda me: store.put_if_match("race", me, old))
    assert len(won) == 1
    read = store.get("race")
    assert read is not None
    assert (read.data, read.tag) == won[0]


def test_of_many_processes_one_writes(store: Store, location: str, start: Start) -> None:
    old = store.put_if_absent("race/old", b"old")
    racers = [start(RACER, location, str(number), str(old)) for number in range(5)]
    assert {told(racer) for racer in racers} == {"ready"}
    for racer in racers:
        tell(racer)
    outcomes = [told(racer).split() for racer in racers]
    assert sum(new != "None" for new, _ in outcomes) == 1
    assert sum(match != "None" for _, match in outcomes) == 1


@pytest.mark.parametrize("count", ["8", "80"])
def test_a_writer_that_is_killed_leaves_every_object_whole(
    store: Store, location: str, start: Start, count: str
) -> None:
    writer = start(WRITER, location)
    while told(writer) != count:
        pass
    writer.kill()
    writer.wait()
    assert store.list("") == tuple(f"objects/{number}" for number in range(4))
    for key in store.list(""):
        read = store.get(key)
        assert read is not None
        assert read.data[:64].decode() == hashlib.sha256(read.data[64:]).hexdigest()
        assert store.put_if_match(key, b"usable", read.tag) is not None


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_a_place_that_cant_be_used_is_a_problem_that_names_it(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "file").touch()
    if place == "s3":
        request.getfixturevalue("bucket")
    location = str(tmp_path / "file" / "ledger") if place == "folder" else "s3://no-such-bucket/ledger"
    store = opened(location)
    for attempt in attempts(store):
        with pytest.raises(LedgerProblem) as raised:
            attempt()
        assert location in raised.value.summary
        assert raised.value.hint


# --- the folder --------------------------------------------------------------------------------


def test_a_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with umask(0):
        FolderStore(tmp_path / "state" / "ledger").put_if_absent("runs/1/shop.json", b"data")
    made = sorted((tmp_path / "state").rglob("*"))
    assert [path.name for path in made] == ["ledger", ".lock", "runs", "1", "shop.json"]
    for path in (tmp_path / "state", *made):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_is_made_by_the_first_write_and_not_before(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "ledger")
    store.get("key")
    store.list("")
    assert not list(tmp_path.iterdir())


def test_a_files_age_is_since_it_was_written_and_never_negative(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put_if_absent("key", b"data")
    before = (tmp_path / "key").stat().st_mtime
    os.utime(tmp_path / "key", (before, before - 1000))
    old = store.get("key")
    os.utime(tmp_path / "key", (before, before + 1000))
    young = store.get("key")
    assert old is not None
    assert young is not None
    assert 1000 <= old.age < 1060
    assert young.age == 0


def test_a_write_that_fails_changes_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    tag = store.put_if_absent("key", b"data")
    assert tag is not None
    before = sorted(tmp_path.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LedgerProblem) as raised:
            store.put_if_match("key", b"more", tag)
    assert raised.value.detail == f"{tmp_path}: No space left on device"
    assert sorted(tmp_path.iterdir()) == before
    assert store.put_if_match("key", b"more", tag) is not None


def test_a_folder_below_that_cant_be_read_is_not_passed_over(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put_if_absent("runs", b"a file")
    with pytest.raises(LedgerProblem, match="can't be read"):
        store.list("runs/")


# --- S3 ----------------------------------------------------------------------------------------


def test_an_objects_age_is_told_by_the_servers_clock_and_never_negative(broken: Store, wire: Wire) -> None:
    broken.put_if_absent("key", b"data")
    wire.date = "Fri, 01 Jan 2100 00:00:00 GMT"
    old = broken.get("key")
    wire.date = "Sat, 01 Jan 2000 00:00:00 GMT"
    young = broken.get("key")
    assert old is not None
    assert young is not None
    assert old.age > 60 * 60 * 24 * 365
    assert young.age == 0


def test_a_write_whose_answer_was_lost_is_known_as_our_own(broken: Store, wire: Wire) -> None:
    wire.faults.append("lost")
    first = broken.put_if_absent("key", b"first")
    assert wire.seen == ["PUT", "PUT", "GET"]
    assert first is not None
    wire.faults.append("lost")
    second = broken.put_if_match("key", b"second", first)
    read = broken.get("key")
    assert read is not None
    assert (read.data, read.tag) == (b"second", second)


def test_a_conflict_is_tried_again(broken: Store, wire: Wire) -> None:
    wire.faults += [Answer.error(409, "ConditionalRequestConflict")] * 2
    assert broken.put_if_absent("key", b"data") is not None
    assert wire.seen == ["PUT", "PUT", "PUT"]


def test_a_conflict_that_stays_is_a_race_that_was_lost(broken: Store, wire: Wire) -> None:
    wire.faults += [Answer.error(409, "ConditionalRequestConflict")] * 5
    assert broken.put_if_absent("key", b"data") is None
    assert broken.get("key") is None


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (403, "AccessDenied", "s3:GetObject"),
        (403, "AccountProblem", "s3:GetObject"),
        (403, "InvalidAccessKeyId", "access key"),
        (403, "SignatureDoesNotMatch", "clock"),
        (400, "ExpiredToken", "renew"),
    ],
)
def test_who_may_not_is_an_access_problem(broken: Store, wire: Wire, status: int, code: str, hint: str) -> None:
    for attempt in attempts(broken):
        wire.faults.append(Answer.error(status, code))
        with pytest.raises(AccessProblem, match=code) as raised:
            attempt()
        assert broken.name in raised.value.summary
        assert hint in raised.value.hint
        assert "canary" not in raised.value.summary + raised.value.detail + raised.value.hint


@pytest.mark.parametrize(
    "faults",
    [
        [Answer.error(501, "NotImplemented")],
        [Answer.error(503, "SlowDown")] * 5,
        [Answer.error(400, "Odd")],
        [Answer(502, b"<html>canary</html>")] * 5,
        ["lost"] * 5,
    ],
    ids=["not implemented", "slow down", "odd", "a proxy's page", "no answers"],
)
def test_whatever_else_fails_is_a_problem_of_the_ledger(
    broken: Store, wire: Wire, faults: list[Answer | Literal["lost"]]
) -> None:
    for attempt in attempts(broken):
        wire.faults += faults
        with pytest.raises(LedgerProblem) as raised:
            attempt()
        assert not wire.faults
        assert f"{broken.name} " in raised.value.summary
        assert raised.value.hint
        assert "canary" not in raised.value.summary + raised.value.detail + raised.value.hint


def test_an_answer_that_is_not_whole_is_no_object(broken: Store, wire: Wire) -> None:
    broken.put_if_absent("key", b"0123456789")
    wire.faults.append("cut")
    with pytest.raises(LedgerProblem, match="ResponseStreamingError"):
        broken.get("key")


@pytest.mark.parametrize(
    "body", [b"", b"<html>Please sign in</html>", b"<html>Please<br>sign in</html>"], ids=["nothing", "XML", "no XML"]
)
def test_an_answer_of_somebody_else_is_neither_an_object_nor_an_empty_list(
    broken: Store, wire: Wire, body: bytes
) -> None:
    for attempt in attempts(broken):
        wire.faults += [Answer(200, body)] * 5
        # botocore takes what is no XML at all for an error of the server, and tries it five times.
        with pytest.raises(LedgerProblem, match=r"none of S3's|500"):
            attempt()
        wire.faults.clear()


def test_an_object_of_an_unknown_age_is_a_problem(broken: Store, wire: Wire) -> None:
    broken.put_if_absent("key", b"data")
    wire.date = ""
    with pytest.raises(LedgerProblem, match="none of S3's"):
        broken.get("key")


def test_a_server_that_is_gone_is_a_problem_of_the_ledger(broken: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{nobody_listens.getsockname()[1]}")
        with pytest.raises(LedgerProblem, match="EndpointConnectionError"):
            opened(broken.name).get("key")


def test_no_call_takes_longer_than_the_deadline(bucket: str, wire: Wire) -> None:
    wire.gate.clear()
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=wire.url)
    with pytest.raises(LedgerProblem, match="TimeoutError"):
        S3Store(client, bucket, "", deadline=0.05).get("key")


def test_without_credentials_it_is_an_access_problem(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AccessProblem, match="no usable AWS credentials"):
        opened(f"s3://{bucket}/ledger").get("key")


def test_a_bucket_without_a_prefix_is_a_place_too(bucket: str) -> None:
    store = opened(f"s3://{bucket}/")
    store.put_if_absent("key", b"data")
    assert store.name == f"s3://{bucket}"
    assert store.list("") == ("key",)


def test_objects_are_json_and_those_of_others_are_passed_over(bucket: str) -> None:
    client = boto3.client("s3", region_name="us-east-1")
    store = opened(f"s3://{bucket}/ledger")
    store.put_if_absent("key", b"{}")
    client.put_object(Bucket=bucket, Key="ledger/", Body=b"")
    client.put_object(Bucket=bucket, Key="ledger/.hidden", Body=b"")
    assert client.get_object(Bucket=bucket, Key="ledger/key")["ContentType"] == "application/json"
    assert store.list("") == ("key",)


# --- locations and sessions --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://shop", ("shop", "")),
        ("s3://shop/", ("shop", "")),
        ("s3://shop/ledger", ("shop", "ledger")),
        ("s3://shop.example-1/team/ledger//", ("shop.example-1", "team/ledger")),
    ],
)
def test_a_location_names_a_bucket_and_a_prefix(text: str, place: tuple[str, str]) -> None:
    assert parse_location(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        "s3:/shop",
        "s3://",
        "s3:///ledger",
        "s3://Shop",
        "s3://ab",
        "s3://a..b",
        "s3://-shop",
        "gs://shop",
        "s3://key:canary@shop",
    ],
)
def test_what_is_no_location_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix") as raised:
        parse_location(text)
    assert "canary" not in str(raised.value)


def test_a_bucket_is_reached_in_the_region_that_is_configured(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_for(bucket) == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert signed_for(bucket) == "eu-west-1"


def test_a_store_that_cant_be_reached_as_configured_is_a_problem(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "not a url")
    with pytest.raises(LedgerProblem, match=f"s3://{bucket}"):
        opened(f"s3://{bucket}")


def test_a_store_that_is_reached_with_a_role_asks_with_the_roles_credentials(
    moto: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    seen: list[str] = []
    hook = watching("before-send.s3", seen, lambda request: str(request.headers["Authorization"]))
    role = Access(role_arn="arn:aws:iam::123456789012:role/ledger")
    assert Sessions(Transport(hook=hook)).store(role, f"s3://{bucket}").list("") == ()
    assert ["Credential=ASIA" in authorization for authorization in seen] == [True]


def test_the_caller_and_the_account_are_one_question(moto: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - sets credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    asked: list[str] = []
    hook = watching("before-send.sts", asked, lambda request: str(request.method))
    sessions = Sessions(Transport(hook=hook))
    assert sessions.caller(Access(), "us-east-1") == "arn:aws:sts::123456789012:user/moto"
    assert sessions.account(Access(), "us-east-1") == "123456789012"
    assert asked == ["POST"]


def test_a_caller_who_cant_be_had_is_unknown(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - sets what is configured
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert Sessions(Transport()).caller(Access(), "us-east-1") is None


# --- builders ----------------------------------------------------------------------------------


def attempts(store: Store) -> tuple[Callable[[], object], ...]:
    """Every method of a store, on an object of which nobody has heard."""
    return (
        lambda: store.get("key"),
        lambda: store.list(""),
        lambda: store.put_if_absent("key", b"data"),
        lambda: store.put_if_match("key", b"data", '"tag"'),
    )


def race(write: Callable[[bytes], str | None]) -> list[tuple[bytes, str]]:
    """What each of twelve threads wrote at once, and its tag; of those that did."""
    line = threading.Barrier(12)

    def run(number: int) -> tuple[bytes, str | None]:
        me = f"racer {number}".encode()
        line.wait()
        return me, write(me)

    with ThreadPoolExecutor(12) as pool:
        return [(me, tag) for me, tag in pool.map(run, range(12)) if tag is not None]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Another umask for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def watching(event: str, seen: list[str], tell_of: Callable[[Any], str]) -> Callable[[Any], None]:
    """A transport's hook that notes the requests of an event, and lets them pass."""

    def note(request: Any, **_others: Any) -> None:
        seen.append(tell_of(request))

    return lambda events: events.register_first(event, note)


def signed_for(bucket: str) -> str:
    """The region that a request to a bucket is signed for."""
    seen: list[str] = []
    hook = watching("before-send.s3", seen, lambda request: str(request.headers["Authorization"]))
    Sessions(Transport(hook=hook)).store(Access(), f"s3://{bucket}").get("key")
    return seen[0].split("/")[2]
