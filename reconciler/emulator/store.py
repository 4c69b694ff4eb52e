"""The state in one SQLite file, shared by threads and processes."""

import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

BUSY_SECONDS = 60.0
LOGGED_REQUESTS = 10_000
_WAIT_SECONDS = 0.01
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS environments (
  account TEXT, region TEXT, app TEXT, environment TEXT, document TEXT NOT NULL,
  PRIMARY KEY (account, region, app, environment)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT, region TEXT, app TEXT, environment TEXT, settled INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_app ON jobs (account, region, app, settled);
CREATE TABLE IF NOT EXISTS faults (number INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (number INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL);
"""

Document = dict[str, Any]


class StateError(Exception):
    """The state file cannot be used; the text says which and why."""


class App(NamedTuple):
    """An app as the service tells apps apart."""

    account: str
    region: str
    app: str


class Environment(NamedTuple):
    """A backend environment of an app."""

    account: str
    region: str
    app: str
    environment: str

    @property
    def owner(self) -> App:
        """The app it belongs to."""
        return App(self.account, self.region, self.app)


@dataclass(frozen=True, slots=True)
class Row:
    """A stored document with its number, which grows with its age."""

    number: int
    document: Document


class Transaction:
    """Reads and writes that other threads and processes see together or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def setting(self, name: str) -> str | None:
        """Return a setting, or None where it was never written."""
        row = self._connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def put_setting(self, name: str, value: str) -> None:
        """Write a setting."""
        self._connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def environment(self, key: Environment) -> Document | None:
        """Return an environment's document, or None."""
        row = self._connection.execute(
            "SELECT document FROM environments WHERE account = ? AND region = ? AND app = ? AND environment = ?",
            key,
        ).fetchone()
        return None if row is None else _load(row[0])

    def put_environment(self, key: Environment, document: Document) -> None:
        """Write an environment's document."""
        self._connection.execute(
            "INSERT OR REPLACE INTO environments VALUES (?, ?, ?, ?, ?)", (*key, json.dumps(document))
        )

    def environments(self, app: App) -> dict[str, Document]:
        """Return an app's environments by name, sorted."""
        rows = self._connection.execute(
            "SELECT environment, document FROM environments "
            "WHERE account = ? AND region = ? AND app = ? ORDER BY environment",
            app,
        )
        return {name: _load(document) for name, document in rows}

    def add_job(self, key: Environment, document: Document) -> Row:
        """Store a new job that has not settled."""
        cursor = self._connection.execute(
            "INSERT INTO jobs (account, region, app, environment, settled, document) VALUES (?, ?, ?, ?, 0, ?)",
            (*key, json.dumps(document)),
        )
        return Row(int(cursor.lastrowid or 0), document)

    def put_job(self, row: Row, *, settled: bool) -> None:
        """Write a job again."""
        self._connection.execute(
            "UPDATE jobs SET document = ?, settled = ? WHERE number = ?",
            (json.dumps(row.document), int(settled), row.number),
        )

    def jobs(self, key: Environment) -> list[Row]:
        """Return an environment's jobs, the newest first."""
        rows = self._connection.execute(
            "SELECT number, document FROM jobs "
            "WHERE account = ? AND region = ? AND app = ? AND environment = ? ORDER BY number DESC",
            key,
        )
        return [Row(number, _load(document)) for number, document in rows]

    def unsettled_jobs(self, app: App) -> list[tuple[Environment, Row]]:
        """Return an app's jobs whose effect is still to come, the oldest first."""
        rows = self._connection.execute(
            "SELECT environment, number, document FROM jobs "
            "WHERE account = ? AND region = ? AND app = ? AND settled = 0 ORDER BY number",
            app,
        )
        return [
            (Environment(*app, environment), Row(number, _load(document))) for environment, number, document in rows
        ]

    def faults(self) -> list[Row]:
        """Return the faults to come in the order in which they were injected."""
        rows = self._connection.execute("SELECT number, document FROM faults ORDER BY number")
        return [Row(number, _load(document)) for number, document in rows]

    def add_fault(self, document: Document) -> None:
        """Store a fault behind those that are there."""
        self._connection.execute("INSERT INTO faults (document) VALUES (?)", (json.dumps(document),))

    def put_fault(self, row: Row) -> None:
        """Write a fault again."""
        self._connection.execute(
            "UPDATE faults SET document = ? WHERE number = ?", (json.dumps(row.document), row.number)
        )

    def delete_fault(self, number: int) -> None:
        """Forget a fault."""
        self._connection.execute("DELETE FROM faults WHERE number = ?", (number,))

    def log_request(self, document: Document) -> int:
        """Store a request, forget the oldest ones, and return its number."""
        cursor = self._connection.execute("INSERT INTO requests (document) VALUES (?)", (json.dumps(document),))
        number = int(cursor.lastrowid or 0)
        self._connection.execute("DELETE FROM requests WHERE number <= ?", (number - LOGGED_REQUESTS,))
        return number

    def newest(self, table: Literal["faults", "requests"]) -> int:
        """Return the number that was given last in a table, whether or not its row is still there; 0 for none."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return 0 if row is None else int(row[0])

    def requests(self) -> list[Document]:
        """Return the stored requests, the oldest first."""
        return [_load(row[0]) for row in self._connection.execute("SELECT document FROM requests ORDER BY number")]


class Store:
    """One state file: a connection of this process, and a lock for its threads.

    Args:
        path: The file.
        busy_seconds: How long to wait for another process that holds it.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._process = 0
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin, hand out and commit; an exception undoes all of it.

        Raises:
            StateError: The file cannot be read or written.
        """
        with self._lock:
            connection = self._connect()
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise self._unusable(error) from error
            with connection:
                yield Transaction(connection)

    def close(self) -> None:
        """Close the connection of this process; the next use opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connect(self) -> sqlite3.Connection:
        # A connection must not cross a fork: SQLite's locks belong to the process which took them.
        if self._connection is None or self._process != os.getpid():
            try:
                self._connection = _open(self.path, self._busy_seconds)
            except (OSError, sqlite3.Error) as error:
                raise self._unusable(error) from error
            self._process = os.getpid()
            weakref.finalize(self, self._connection.close)
        return self._connection

    def _unusable(self, error: Exception) -> StateError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return StateError(f"{self.path}: held by another process for {self._busy_seconds:g} seconds")
        return StateError(f"{self.path}: cannot be used as the emulator's state ({error}); delete it to begin anew")


def _open(path: Path, busy_seconds: float) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives -wal and -shm the mode of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        _enter_wal_mode(connection, busy_seconds)
        connection.execute("PRAGMA synchronous = OFF")
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _enter_wal_mode(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to WAL; SQLite's busy handler does not cover this step, so that racing processes wait here."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_WAIT_SECONDS)  # pragma: no cover - only while processes race for a new file
        else:
            return


def _load(text: str) -> Document:
    document: Document = json.loads(text)
    return document
