"""A role's credentials: assumed through STS when they are first needed, and again before they run out."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from reconciler.aws.errors import MISREAD, RoleNotAssumed

SESSION_NAME = "reconciler"
"""What CloudTrail shows where nobody named the session."""
_EARLY = timedelta(minutes=15)
"""How long before their end credentials are renewed: longer than one call may take, as botocore has it."""


class RoleCredentials(Credentials):
    """Credentials of a role, for the signers of botocore; threads may share them.

    botocore's own credentials that renew themselves log what STS answered, with a traceback, where people see it.
    """

    def __init__(
        self, sts: Any, role_arn: str, *, external_id: str | None = None, session_name: str | None = None
    ) -> None:
        """Assume nothing yet.

        Args:
            sts: a client with the credentials of whoever may assume the role.
            role_arn: the role.
            external_id: what its trust policy asks for.
            session_name: what CloudTrail shows; :data:`SESSION_NAME` by default.
        """
        super().__init__("", "", method="role")
        self._sts = sts
        self._role_arn = role_arn
        self._more = {} if external_id is None else {"ExternalId": external_id}
        self._session_name = session_name or SESSION_NAME
        self._lock = threading.Lock()
        self._held: tuple[ReadOnlyCredentials, datetime] | None = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Credentials that hold for some minutes more.

        Raises:
            RoleNotAssumed: STS gave none, for whatever reason. Nothing was signed with them, so nothing was sent.
        """
        with self._lock:
            if self._held is None or datetime.now(UTC) >= self._held[1]:
                try:
                    self._held = self._assumed()
                except (BotoCoreError, ClientError, RuntimeError, OverflowError, *MISREAD) as problem:
                    raise RoleNotAssumed(self._role_arn, problem) from None
            return self._held[0]

    def _assumed(self) -> tuple[ReadOnlyCredentials, datetime]:
        """New credentials, and when they are to be renewed."""
        answer = self._sts.assume_role(RoleArn=self._role_arn, RoleSessionName=self._session_name, **self._more)
        answer = answer["Credentials"]
        parts = tuple(answer[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        if not all(isinstance(part, str) and part for part in parts):
            raise ValueError("credentials that are none")
        return ReadOnlyCredentials(*parts), answer["Expiration"].astimezone(UTC) - _EARLY


class RoleProvider(CredentialProvider):
    """The one place in which a role's session looks for credentials."""

    METHOD = "role"

    def __init__(self, credentials: RoleCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> RoleCredentials:
        """The role's credentials."""
        return self._credentials
