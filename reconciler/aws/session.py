"""Sessions and clients: credentials as the AWS CLI finds them, one client for each account and region."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver
from botocore.exceptions import BotoCoreError, ClientError, UnknownRegionError

from reconciler.aws.amplify import Reader, Writer
from reconciler.aws.deadline import within
from reconciler.aws.errors import MISREAD, read_problem, unrunnable
from reconciler.aws.pace import Pace
from reconciler.aws.retries import ATTEMPTS, Retries, Timing
from reconciler.aws.roles import RoleCredentials, RoleProvider
from reconciler.aws.store import S3Store, store_problem
from reconciler.core.model import Access
from reconciler.core.secret import Secret
from reconciler.core.store import parse_location
from reconciler.errors import ReadFailed, ServiceProblem

_SERVICE = "amplifybackend"
_STS_SECONDS = 3
_RETRIES: Any = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
_ONCE: Any = {"total_max_attempts": 1, "mode": "standard"}
_STORE_SECONDS = 10
"""How long one answer of a store may take: a lease must be renewed meanwhile, and objects are small."""
_STORE_REGION = "us-east-1"
"""Where a bucket is asked for when no region is configured; S3 sends on to where it is."""
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_AMPLIFYBACKEND")
_NOTHING_CONFIGURED: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""What fixed credentials read of the environment and the files of the AWS CLI: nothing."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How requests travel; seconds as the AWS CLI's options of the same names have them."""

    ca_bundle: str | None = None
    read_timeout: float = 60
    connect_timeout: float = 60
    connections: int = 10
    timing: Timing = field(default_factory=lambda: Timing(time.monotonic, time.sleep, random.random))
    hook: Callable[[Any], None] | None = None
    """Called with each session's event emitter: how the embedded backend answers in place of the network."""

    @property
    def deadline(self) -> float:
        """The most seconds that one call may take with all its retries."""
        return ATTEMPTS * (self.read_timeout + self.connect_timeout)


class Sessions:
    """Makes sessions, one for each way of access, and clients of them. Use from the main thread only.

    A role is assumed once for each way of access, through STS in the region of the first client that needs it, with
    the credentials of the profile or of the default chain; it is assumed again before its credentials run out.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        credentials: tuple[str, str] | None = None,
        known: Collection[Secret] = frozenset(),
    ) -> None:
        """Remember how requests travel.

        Args:
            transport: that.
            credentials: fixed ones, for the embedded backend; they assume no role.
            known: the secrets that the run has resolved so far, for its gateways to mask; it may grow.
        """
        self._transport = transport
        self._credentials = credentials
        self._known = known
        self._sessions: dict[Access, Any] = {}
        self._boto3s: dict[Access, Any] = {}
        self._clients: dict[tuple[Access, str, str | None], Any] = {}
        self._paces: dict[tuple[object, ...], Pace] = {}
        self._readers: dict[tuple[Access, str, str | None], Reader] = {}
        self._writers: dict[tuple[Access, str, str | None], Writer] = {}
        self._secrets: dict[tuple[str, Access, str], Any] = {}
        self._callers: dict[Access, Mapping[str, Any]] = {}
        self._endpoints: dict[tuple[Access, str], str | None] = {}

    def region_of(self, profile: str | None) -> str | None:
        """The region that a profile, or the environment, configures; None where there is none."""
        region = self._session(Access(profile=profile), None).get_config_variable("region")
        return region if isinstance(region, str) else None

    def profiles(self) -> frozenset[str]:
        """The profiles that are configured on this machine."""
        try:
            return frozenset(botocore.session.Session().available_profiles)
        except BotoCoreError:
            return frozenset()  # whoever makes a client says what is wrong

    def reader(self, access: Access, region: str, endpoint: str | None, *, account: str | None = None) -> Reader:
        """A gateway that reads; those of an account, a region and an endpoint share their pace.

        Where the account is not known, each way of access has a pace of its own.
        """
        key = (access, region, endpoint)
        if key not in self._readers:
            client, retries = self._once(key), self._retries(key, account)
            self._readers[key] = Reader(client, retries, known=self._known)
        return self._readers[key]

    def writer(self, access: Access, region: str, endpoint: str | None, *, account: str | None = None) -> Writer:
        """A gateway that can update; it reads as a reader does. The update is sent once, whatever happens."""
        key = (access, region, endpoint)
        if key not in self._writers:
            client, retries = self._once(key), self._retries(key, account)
            found = self._session(access, region).get_credentials()
            renew = found.get_frozen_credentials if found is not None else lambda: None
            deadline = self._transport.deadline
            self._writers[key] = Writer(client, retries, deadline=deadline, credentials=renew, known=self._known)
        return self._writers[key]

    def wait_by(self, sleep: Callable[[float], None]) -> None:
        """From now on wait so for the pace and between the tries of a read; what it raises ends the read."""
        self._transport.timing.sleep = sleep

    def _once(self, key: tuple[Access, str, str | None]) -> Any:
        """The client of a way to the service, which sends everything once: reads are tried again by ourselves."""
        if key not in self._clients:
            self._clients[key] = self._client(*key, _ONCE)
        return self._clients[key]

    def _retries(self, key: tuple[Access, str, str | None], account: str | None) -> Retries:
        access, region, endpoint = key
        timing = self._transport.timing
        pace = Pace(timing.now, timing.random, region)
        pace = self._paces.setdefault((account or access, region, endpoint), pace)
        return Retries(pace, timing, self._transport.deadline)

    def secrets(self, service: str, access: Access, region: str) -> Any:
        """A client of ``ssm`` or ``secretsmanager``, by the endpoint that is configured for it as boto3 has them.

        Raises:
            ServiceProblem: no client can be made as it is configured.
        """
        key = (service, access, region)
        if key not in self._secrets:
            try:
                self._secrets[key] = self._boto3(access, region).client(
                    service, region_name=region, verify=self._transport.ca_bundle, config=self._config(_RETRIES)
                )
            except (BotoCoreError, ClientError) as problem:
                raise read_problem(problem, "the client") from None
            except MISREAD:
                hint = "look at the region and at the endpoint that is configured for the service"
                raise ReadFailed(f"no client of {service} can be made as it is configured", hint=hint) from None
        return self._secrets[key]

    @property
    def deadline(self) -> float:
        """The most seconds that one call of a client may take with all its retries."""
        return self._transport.deadline

    def store(self, access: Access, location: str) -> S3Store:
        """The ledger at ``s3://bucket/prefix``, by the endpoint and in the region that are configured for S3.

        Raises:
            ValueError: the location is none.
            LedgerProblem: no client can be made as it is configured.
        """
        bucket, prefix = parse_location(location)
        region = self.region_of(access.profile) or _STORE_REGION
        try:
            client = self._boto3(access, region).client(
                "s3",
                region_name=region,
                verify=self._transport.ca_bundle,
                config=self._config(_RETRIES, longest=_STORE_SECONDS),
            )
        except (BotoCoreError, ValueError) as problem:
            raise store_problem(problem, location) from None
        return S3Store(client, bucket, prefix, deadline=min(self._transport.deadline, 3 * _STORE_SECONDS))

    def account(self, access: Access, region: str) -> str | None:
        """The caller's account from STS, asked once for each way of access; None where it can't be had."""
        return self._caller(access, region).get("Account")

    def caller(self, access: Access, region: str) -> str | None:
        """The caller's ARN out of the same answer of STS; None where it can't be had."""
        return self._caller(access, region).get("Arn")

    def configured_endpoint(self, access: Access, region: str) -> str | None:
        """Another endpoint for amplifybackend that the environment or the profile configures, as boto3 reads it."""
        access = Access(access.profile)  # a role has no say in it, and would ask for its credentials
        if (access, region) not in self._endpoints:
            self._endpoints[access, region] = self._look_up_endpoint(access, region)
        return self._endpoints[access, region]

    def _look_up_endpoint(self, access: Access, region: str) -> str | None:
        profile = self._session(access, region).get_scoped_config()
        if not any(os.environ.get(name) for name in _ENDPOINTS) and not {"endpoint_url", "services"} & set(profile):
            return None
        configured = self._client(access, region, None, {}, configured_endpoint=True).meta.endpoint_url
        default = self._client(access, region, None, {}).meta.endpoint_url
        return None if configured == default else str(configured)

    def ask_callers(self, ways: Collection[tuple[Access, str]]) -> None:
        """Ask STS for the callers of several ways of access at once, each with a region in which to ask."""
        calls: dict[Access, Callable[[], Mapping[str, Any]]] = {}
        for access, region in ways:
            if access not in self._callers and access not in calls:
                with suppress(ServiceProblem):  # its first read will tell
                    calls[access] = self._call_of_sts(access, region)
        if not calls:
            return
        pool = ThreadPoolExecutor(min(self._transport.connections, len(calls)))
        try:
            self._callers |= dict(zip(calls, pool.map(_answer_of_sts, calls.values()), strict=True))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _caller(self, access: Access, region: str) -> Mapping[str, Any]:
        if access not in self._callers:
            self._callers[access] = _answer_of_sts(self._call_of_sts(access, region))
        return self._callers[access]

    def _call_of_sts(self, access: Access, region: str) -> Callable[[], Mapping[str, Any]]:
        """What asks STS who calls; where no client can be made as it is configured nobody answers."""
        config = Config(connect_timeout=_STS_SECONDS, read_timeout=_STS_SECONDS, retries=_ONCE)
        try:
            client = self._boto3(access, region).client(
                "sts", region_name=region, config=config, verify=self._transport.ca_bundle
            )
        except OSError as problem:
            raise unrunnable(problem) from None
        except (BotoCoreError, ClientError, *MISREAD):
            return dict
        call: Callable[[], Mapping[str, Any]] = client.get_caller_identity
        return call

    def serves(self, access: Access, region: str) -> bool:
        """Whether botocore knows the service to be in a region."""
        session = self._session(Access(access.profile), region)
        try:
            partition = session.get_partition_for_region(region)
        except UnknownRegionError:
            return False
        return region in session.get_available_regions(_SERVICE, partition)

    def _session(self, access: Access, region: str | None) -> Any:
        """The session of a way of access; ``region`` is where its role is assumed, if it has one."""
        if access not in self._sessions:
            fixed = self._credentials is not None
            session = botocore.session.Session(
                profile=access.profile, session_vars=_NOTHING_CONFIGURED if fixed else None
            )
            try:
                session.get_scoped_config()
                if access.role_arn is not None and not fixed:
                    provider = RoleProvider(self._role_credentials(access, region))
                    session.register_component("credential_provider", CredentialResolver([provider]))
            except (BotoCoreError, ValueError) as problem:
                raise read_problem(problem, "credentials") from None
            if self._credentials is not None:
                session.set_credentials(*self._credentials)
            if self._transport.hook is not None:
                self._transport.hook(session.get_component("event_emitter"))
            self._sessions[access] = session
        return self._sessions[access]

    def _role_credentials(self, access: Access, region: str | None) -> RoleCredentials:
        sts = self._assumer(access, region)
        role = str(access.role_arn)
        return RoleCredentials(sts, role, external_id=access.external_id, session_name=access.session_name)

    def _assumer(self, access: Access, region: str | None) -> Any:
        """The client of STS that assumes the role, with the credentials that there are without it."""
        return self._boto3(Access(access.profile), region).client(
            "sts", region_name=region, verify=self._transport.ca_bundle, config=self._config(_RETRIES)
        )

    def _boto3(self, access: Access, region: str | None) -> Any:
        """The one boto3 session of a way of access: a second one could make no client of S3 any more."""
        if access not in self._boto3s:
            self._boto3s[access] = boto3.Session(botocore_session=self._session(access, region))
        return self._boto3s[access]

    def _client(
        self, access: Access, region: str, endpoint: str | None, retries: Any, *, configured_endpoint: bool = False
    ) -> Any:
        """A client for this endpoint; none that is configured elsewhere slips in, unless that is asked for."""
        # A name that the stubs lack; None leaves the choice to the environment and the profile.
        ignored: Any = {"ignore_configured_endpoint_urls": None if configured_endpoint else True}
        try:
            return self._boto3(access, region).client(
                _SERVICE,
                region_name=region,
                endpoint_url=endpoint,
                verify=self._transport.ca_bundle,
                config=self._config(retries, **ignored),
            )
        except OSError as problem:
            raise unrunnable(problem) from None
        except (BotoCoreError, ValueError) as problem:
            raise read_problem(problem, "the client") from None

    def _config(self, retries: Any, *, longest: float = math.inf, **more: Any) -> Config:
        return Config(
            retries=retries,
            read_timeout=min(self._transport.read_timeout, longest),
            connect_timeout=min(self._transport.connect_timeout, longest),
            max_pool_connections=self._transport.connections,
            user_agent_extra="reconciler",
            **more,
        )


def _answer_of_sts(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """What STS says, or nothing: whoever needs to know takes that for unknown."""
    try:
        return within(2 * _STS_SECONDS, call)
    except (BotoCoreError, ClientError, TimeoutError, *MISREAD):
        return {}
