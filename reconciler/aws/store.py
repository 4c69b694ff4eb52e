"""A ledger in S3: conditional writes make each object a chain of versions, whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from reconciler.aws.deadline import within
from reconciler.aws.errors import MISREAD, NO_CREDENTIALS, read_problem
from reconciler.core.store import KEY, PREFIX, Stored
from reconciler.errors import AccessProblem, LedgerProblem, ServiceProblem

_T = TypeVar("_T")
_DEADLINE = 600
_CONFLICTS = 5
_DENIED_STATUS = {401, 403}
_EXPIRED = ("ExpiredToken", "TokenRefreshRequired")
_UNKNOWN = ("InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "RequestTimeTooSkewed")
_HINTS = {
    "NoSuchBucket": "make the bucket first, or look at its name",
    "NotImplemented": "the store must know the conditional writes of S3 (If-Match, If-None-Match)",
}
_HINT = "try again; if it stays, look at the network, the region and AWS_ENDPOINT_URL_S3"


class S3Store:
    """A :class:`~reconciler.core.store.Store` below a prefix of a bucket; ``tag`` is the ETag.

    A write whose answer was lost is sent again by botocore, and then finds its own object there. So whoever
    writes must write what nobody else writes: an object that is byte for byte ours counts as written by us.
    """

    def __init__(self, client: Any, bucket: str, prefix: str, *, deadline: float = _DEADLINE) -> None:
        """Wrap an S3 client; ``deadline`` is the most seconds that one method may take with all its retries."""
        self._client = client
        self._bucket = bucket
        self._folder = f"{prefix}/" if prefix else ""
        self._deadline = deadline

    @property
    def name(self) -> str:
        """The place as ``s3://bucket/prefix``."""
        return f"s3://{self._bucket}/{self._folder}".rstrip("/")

    def get(self, key: str) -> Stored | None:
        """The object, or None where there is none."""
        name = self._object(key)
        return self._call(lambda: self._read(name))

    def list(self, prefix: str) -> tuple[str, ...]:
        """Every key that begins with ``prefix``, sorted; objects that are none of ours are passed over."""
        if not PREFIX.fullmatch(prefix):
            raise ValueError(f"{prefix!r} begins no key")
        pages = self._client.get_paginator("list_objects_v2")

        def read() -> tuple[str, ...]:
            found = pages.paginate(Bucket=self._bucket, Prefix=f"{self._folder}{prefix}")
            keys = (name.removeprefix(self._folder) for page in found for name in _listed(page))
            return tuple(sorted(key for key in keys if KEY.fullmatch(key)))

        return self._call(read)

    def put_if_absent(self, key: str, data: bytes) -> str | None:
        """Write a new object and return its tag; None where there is another one already."""
        return self._put(key, data, {"IfNoneMatch": "*"})

    def put_if_match(self, key: str, data: bytes, tag: str) -> str | None:
        """Replace the version that ``tag`` names; None where another stands there now."""
        return self._put(key, data, {"IfMatch": tag})

    def _put(self, key: str, data: bytes, condition: Mapping[str, str]) -> str | None:
        name = self._object(key)

        def write() -> str | None:
            for _ in range(_CONFLICTS):
                try:
                    answer = self._client.put_object(
                        Bucket=self._bucket, Key=name, Body=data, ContentType="application/json", **condition
                    )
                except ClientError as problem:
                    match _code(problem):
                        case "NoSuchKey":
                            return None
                        case "PreconditionFailed":
                            break
                        case "ConditionalRequestConflict":
                            continue
                        case _:
                            raise
                tag: str = answer["ETag"]
                return tag
            found = self._read(name)
            return found.tag if found is not None and found.data == data else None

        return self._call(write)

    def _read(self, name: str) -> Stored | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
        except ClientError as problem:
            if _code(problem) == "NoSuchKey":
                return None
            raise
        with closing(answer["Body"]) as body:
            data: bytes = body.read()
        told = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return Stored(data, answer["ETag"], max(0.0, (told - answer["LastModified"]).total_seconds()))

    def _object(self, key: str) -> str:
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key")
        return f"{self._folder}{key}"

    def _call(self, call: Callable[[], _T]) -> _T:
        try:
            return within(self._deadline, call)
        except (BotoCoreError, ClientError, *MISREAD) as problem:
            raise store_problem(problem, self.name) from None


def store_problem(problem: Exception, place: str) -> LedgerProblem | ServiceProblem:
    """The error of a store that failed; of what botocore says only the error's code is shown.

    Args:
        problem: what botocore, or its parsing of an answer, raised.
        place: the store's name.
    """
    if isinstance(problem, NO_CREDENTIALS):
        return read_problem(problem, "S3")
    summary = f"the ledger in {place} can't be read or written"
    if not isinstance(problem, ClientError):
        known = isinstance(problem, BotoCoreError | OSError | ValueError)
        said = type(problem).__name__ if known else "the answer is none of S3's"
        return LedgerProblem(f"{summary}: {said}", hint=_HINT)
    code = _code(problem)
    if code in _EXPIRED:
        return AccessProblem(f"{summary}: {code}", hint="renew the credentials")
    if code in _UNKNOWN:
        return AccessProblem(f"{summary}: {code}", hint="look at the access key, and at this machine's clock")
    if code.startswith("AccessDenied") or _status(problem) in _DENIED_STATUS:
        needed = "s3:GetObject and s3:PutObject on its objects, and s3:ListBucket on the bucket"
        return AccessProblem(f"{summary}: {code}", hint=f"the permissions it needs are {needed}")
    return LedgerProblem(f"{summary}: {code}", hint=_HINTS.get(code, _HINT))


def _listed(page: Mapping[str, Any]) -> Iterator[str]:
    """The names on a page; an answer that does not say whether it is the last is no page, rather than an empty one."""
    if "IsTruncated" not in page:
        raise KeyError("IsTruncated")
    return (item["Key"] for item in page.get("Contents", ()))


def _code(problem: ClientError) -> str:
    return str(problem.response.get("Error", {}).get("Code", ""))


def _status(problem: ClientError) -> int:
    return int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
