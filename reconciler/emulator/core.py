"""The emulator without a transport: from method, path, headers and body to an answer."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reconciler.emulator import faults, hits, jobs
from reconciler.emulator.answers import Response, ServiceError, json_response
from reconciler.emulator.codec import decode, decode_request, encode
from reconciler.emulator.faults import Fault
from reconciler.emulator.jobs import Call
from reconciler.emulator.model import Operation, service_model
from reconciler.emulator.service import serve_operation
from reconciler.emulator.store import App, Document, Environment, Store, Transaction
from reconciler.emulator.switches import Switches, switches_from

EMULATOR_ACCOUNT = "000000000000"
EMULATOR_REGION = "us-east-1"
EMULATOR_ACCESS_KEY = EMULATOR_ACCOUNT
EMULATOR_SECRET_KEY = "emulator"  # noqa: S105 - opens nothing: signatures are not checked

_SWITCHES = "switches"
_BEGUN = "begun"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([a-z0-9-]+)/[a-z0-9-]+/aws4_request")
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request that reached the emulator.

    Attributes:
        account: From the credential scope.
        region: From the credential scope.
        operation: The API operation's name.
        path: The path as it was sent.
        body: The decoded request in API names; empty where it was refused.
    """

    account: str
    region: str
    operation: str
    path: str
    body: dict[str, Any]


class Emulator:
    """An AmplifyBackend whose whole state is one SQLite file.

    Any number of emulators, threads and processes may share the file, and see the same.

    Args:
        state: The file; it and its folder are created where they are missing.
        clock: Seconds since the epoch; jobs run by it.
        seed: Whether a new state begins with the backends of `seed.json`, or empty.
    """

    def __init__(self, state: Path, *, clock: Callable[[], float] = time.time, seed: bool = True) -> None:
        self.state = state
        self._clock = clock
        self._store = Store(state)
        with self._store.transaction() as transaction:
            if transaction.setting(_BEGUN) is None:
                transaction.put_setting(_BEGUN, "yes")
                if seed:
                    self._put_seed(transaction)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the state file; using the emulator again opens it again."""
        self._store.close()

    @property
    def switches(self) -> Switches:
        """How the service behaves now, for everyone who shares the state."""
        with self._store.transaction() as transaction:
            return _switches(transaction)

    def configure(self, switches: Switches) -> None:
        """Let the service behave so, for everyone who shares the state."""
        with self._store.transaction() as transaction:
            transaction.put_setting(_SWITCHES, switches.to_json())

    def stage(self, switches: Switches, new: Iterable[Fault], seed: int = 0) -> None:
        """Let the service behave so and fail so, in place of the faults still to come.

        Args:
            switches: How the service behaves.
            new: What fails.
            seed: Which requests the faults with a probability hit: the same ones for the same seed, counted
                from here.
        """
        with self._store.transaction() as transaction:
            transaction.put_setting(_SWITCHES, switches.to_json())
            hits.stage(transaction, new, seed)

    def inject(self, new: Iterable[Fault]) -> None:
        """Add faults behind those that are still to come."""
        with self._store.transaction() as transaction:
            for fault in new:
                transaction.add_fault(fault.document())

    def faults(self) -> tuple[Fault, ...]:
        """Return the faults that are still to come."""
        with self._store.transaction() as transaction:
            return hits.to_come(transaction)

    def clear_faults(self) -> None:
        """Forget the faults that are still to come; jobs that have one keep it."""
        with self._store.transaction() as transaction:
            for row in transaction.faults():
                transaction.delete_fault(row.number)

    def requests(self, operation: str | None = None) -> tuple[LoggedRequest, ...]:
        """Return the requests received, of one operation or of all, the oldest first."""
        with self._store.transaction() as transaction:
            logged = tuple(LoggedRequest(**document) for document in transaction.requests())
        return tuple(request for request in logged if operation in (None, request.operation))

    def live(self, account: str, region: str, app: str, environment: str) -> dict[str, Any] | None:
        """Return the true ResourceConfig, secrets included, or None without auth."""
        key = Environment(account, region, app, environment)
        with self._store.transaction() as transaction:
            jobs.settle(transaction, key.owner, _switches(transaction), self._clock())
            document = transaction.environment(key)
        config: dict[str, Any] | None = document and document["config"]
        return config

    def put_live(
        self,
        account: str,
        region: str,
        app_id: str,
        environment: str,
        resource_name: str,
        resource_config: Mapping[str, Any],
        app_name: str | None = None,
        *,
        imported: bool = False,
    ) -> None:
        """Put auth in as live, at once and without a job, in place of what is there.

        Args:
            account: 12 digits.
            region: Where it lives.
            app_id: The Amplify app; created where it is missing, as the environment is.
            environment: The backend environment.
            resource_name: Name of the auth resource.
            resource_config: ResourceConfig in API names as CreateBackendAuth takes it, secrets included;
                members that are missing get defaults.
            app_name: The app's name; by default what it was, or the app id.
            imported: Whether the auth counts as imported, so that it cannot be updated.

        Raises:
            ValueError: The configuration does not fit the shape.
        """
        key = Environment(account, region, app_id, environment)
        with self._store.transaction() as transaction:
            self._put(transaction, key, resource_name, resource_config, app_name, imported=imported)

    def put_environment(
        self, account: str, region: str, app_id: str, environment: str, app_name: str | None = None
    ) -> None:
        """Put an environment without auth in, in place of what is there."""
        key = Environment(account, region, app_id, environment)
        with self._store.transaction() as transaction:
            transaction.put_environment(key, jobs.new_environment(app_name or app_id, self._clock()))

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one HTTP request.

        Args:
            method: GET or POST.
            path: Path, as sent; a query is ignored.
            headers: Names in any case.
            body: The whole body.
        """
        scope = _scope(headers)
        route = service_model().route(method, path.partition("?")[0])
        if scope is None or route is None:
            return ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token").response()
        account, region = scope
        operation, values = route
        refused: ServiceError | None = None
        request: Document = {}
        try:
            request = decode_request(service_model(), operation, values, body)
        except ServiceError as error:
            refused = error
        with self._store.transaction() as transaction:
            logged = LoggedRequest(account, region, operation.name, path, request)
            number = transaction.log_request(asdict(logged))
            if refused is not None:
                return refused.response()
            app = App(account, region, request.get("AppId", ""))
            call = Call(transaction, _switches(transaction), self._clock(), app, operation.name, number)
            return _answer(call, operation, request)

    def _put_seed(self, transaction: Transaction) -> None:
        text = files("reconciler.emulator").joinpath("seed.json").read_text("utf-8")
        for backend in json.loads(text):
            key = Environment(EMULATOR_ACCOUNT, EMULATOR_REGION, backend["AppId"], backend["BackendEnvironmentName"])
            self._put(transaction, key, backend["ResourceName"], backend["ResourceConfig"], backend["AppName"])

    def _put(
        self,
        transaction: Transaction,
        key: Environment,
        resource: str,
        config: Mapping[str, Any],
        app_name: str | None,
        *,
        imported: bool = False,
    ) -> None:
        try:
            checked = decode(service_model(), "CreateBackendAuthResourceConfig", dict(config), wire=False)
        except ServiceError as error:
            raise ValueError(error.message) from error
        now = self._clock()
        document = transaction.environment(key) or jobs.new_environment(app_name or key.app, now)
        jobs.put_auth(document, resource, checked)
        document["app_name"] = app_name or document["app_name"]
        document["pushed"] = now
        document["imported"] = {"UserPoolId": f"{key.region}_imported1"} if imported else None
        transaction.put_environment(key, document)


def _answer(call: Call, operation: Operation, request: Document) -> Response:
    """Return the operation's answer, or what a fault makes of it."""
    kinds = (*faults.INSTEAD, *faults.AFTER)
    fault = hits.take(call.transaction, kinds, operation.name, request, number=call.number, now=call.now)
    if fault is not None and fault.kind in faults.INSTEAD:
        return faults.instead(fault, operation.name)
    if fault is not None and fault.kind == "timeout_late_job":
        call = Call(call.transaction, call.switches, call.now, call.app, call.operation, call.number, fault.seconds)
    try:
        answer = serve_operation(call, request)
        response = json_response(encode(service_model(), operation.output_shape, answer))
    except ServiceError as error:
        response = error.response()
    return response if fault is None else faults.afterwards(fault, response)


def _switches(transaction: Transaction) -> Switches:
    return switches_from(transaction.setting(_SWITCHES))


def _scope(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return account and region from the credential scope; the signature is nobody's business here."""
    authorization = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    found = _SCOPE.search(authorization)
    if found is None:
        return None
    key, region = found.groups()
    return (key if _ACCOUNT.fullmatch(key) else EMULATOR_ACCOUNT), region
