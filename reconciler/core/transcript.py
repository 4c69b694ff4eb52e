"""Make the service's error texts fit to be shown: no terminal noise, no secrets, the reason first.

A failed job's error is a transcript of a command-line tool: many kilobytes of colours, boxes, spinners
and paths, and whatever that tool printed.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_NOISE = re.compile(r"[\u2500-\u259f\u2800-\u28ff\u25a0-\u25ff]+")
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_PEM = re.compile(r"-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|\Z)", re.DOTALL)
_NAMED_SECRET = re.compile(
    r"""(?ix) (\\*["']?[\w.-]*(?:secret|password|passwd|token|private[_-]?key|credential|authorization)[\w.-]*\\*["']?
    \s*(?:=>|[=:]|\bis\b)\s*|--[\w-]*(?:secret|password|token|key)[\w-]*\s+)
    (?:\\+["'].*?\\+["']|"(?:[^"\\]|\\.)*"|'[^']*'|(?:bearer|basic)\s+\S+|[^\s,;}\])]+)"""
)
_SHAPED_SECRET = re.compile(
    r"(?<=://)[^/\s:@]+:[^@\s/]+(?=@)|GOCSPX-[\w-]+|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]+\.[\w.-]+|\b[A-Za-z0-9+/_-]{40,}={0,2}"
    r"|\b[0-9a-f]{32}\b"
)
_TELLING = re.compile(r"Reason:|Error:|An error occurred|UPDATE_FAILED|Cannot |is missing|already a pending job")
_LONGEST_LINE = 300
_MOST_LINES = 6
_SHORTEST_LINE = 8
MASK = "****"


_NAMES = frozenset(
    {
        "AccessDeniedException",
        "AliasExistsException",
        "CodeMismatchException",
        "ConcurrentModificationException",
        "DuplicateProviderException",
        "ForbiddenException",
        "InternalErrorException",
        "InvalidEmailRoleAccessPolicyException",
        "InvalidLambdaResponseException",
        "InvalidOAuthFlowException",
        "InvalidParameterException",
        "InvalidPasswordException",
        "InvalidSmsRoleAccessPolicyException",
        "InvalidSmsRoleTrustRelationshipException",
        "LimitExceededException",
        "NotAuthorizedException",
        "ResourceConflictException",
        "ResourceNotFoundException",
        "ScopeDoesNotExistException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "TooManyRequestsException",
        "UnsupportedIdentityProviderException",
        "UserImportInProgressException",
        "UserPoolTaggingException",
        "ValidationError",
        "ValidationException",
        "CREATE_FAILED",
        "DELETE_FAILED",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "AWS::CloudFormation::Stack",
        "AWS::Cognito::IdentityPool",
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPoolIdentityProvider",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "Custom::LambdaCallout",
    }
)
"""Errors, states and resources that AWS names: the only words of a transcript that nobody can have for a secret."""
_WORD = re.compile(r"[A-Za-z_:]+")


def names_in(text: str) -> tuple[str, ...]:
    """The errors, states and resources of AWS that a text names, each once, in its order."""
    return tuple(dict.fromkeys(word for word in (found.strip(":") for found in _WORD.findall(text)) if word in _NAMES))


def cleaned(text: str, secrets: Iterable[str] = ()) -> str:
    """A text without escape sequences, drawing, control and bidi characters, and secrets.

    Args:
        text: what the service said.
        secrets: values known to be secret in this run; each is masked wherever it stands.
    """
    # Noise goes first: a secret that an escape sequence cuts in two is still a secret.
    text = _UNSHOWABLE.sub("", _NOISE.sub(" ", _ANSI.sub("", text).replace("\r", "\n")))
    text = _without(text, {"".join(form.split()) for secret in secrets for form in _forms(secret)})
    text = _PEM.sub(MASK, text)
    text = _NAMED_SECRET.sub(lambda found: found[1] + MASK, text)
    return _SHAPED_SECRET.sub(MASK, text)


def _without(text: str, forms: Iterable[str]) -> str:
    """The text with a mask in place of each form, also where white space stands between its characters."""
    places = [place for place, character in enumerate(text) if not character.isspace()]
    dense = "".join(text[place] for place in places)
    spans: list[tuple[int, int]] = []
    for form in filter(None, forms):
        start = dense.find(form)
        while start >= 0:
            spans.append((places[start], places[start + len(form) - 1] + 1))
            start = dense.find(form, start + 1)
    shown, end = "", 0
    for start, stop in sorted(spans):
        if start >= end:
            shown += text[end:start] + MASK
        end = max(end, stop)
    return shown + text[end:]


def _forms(secret: str) -> Iterator[str]:
    """How a secret may stand in a text: whole or line by line, without noise, escaped or encoded."""
    lines = [line for line in secret.splitlines() if len(line) >= _SHORTEST_LINE]
    for part in (secret, *lines):
        yield part
        yield _UNSHOWABLE.sub("", _NOISE.sub(" ", part.replace("\r", "\n")))
        yield from _escaped(part)
        raw = part.encode("utf-8", "surrogatepass")
        if len(raw) >= _SHORTEST_LINE:
            yield from (raw.hex(), raw.hex().upper(), *_base64(raw))


def _escaped(text: str) -> Iterator[str]:
    """A text in JSON, in JSON in JSON, in a URL, in HTML, and as Python shows it."""
    for plain in (True, False):
        once = json.dumps(text, ensure_ascii=plain)
        yield from (once[1:-1], json.dumps(once, ensure_ascii=plain)[3:-3])
    raw = text.encode("utf-8", "surrogatepass")
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw), quote_plus(raw, safe="/"))
    marked = html.escape(text)
    yield from (html.escape(text, quote=False), marked, marked.replace("&#x27;", "&#39;"))
    yield from (repr(text)[1:-1], ascii(text)[1:-1], repr(raw)[2:-1])


def _base64(raw: bytes) -> Iterator[str]:
    """The characters that are a secret's own in base64, wherever in a longer text it begins."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * before + raw).decode()
            yield whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def reason(text: str, secrets: Iterable[str] = ()) -> str:
    """The few lines of a transcript that say why, each at most 300 characters; its last lines if none does."""
    lines = [" ".join(line.split()) for line in cleaned(text, secrets).split("\n")]
    lines = list(dict.fromkeys(line for line in lines if line))
    telling = [line for line in lines if _TELLING.search(line)]
    chosen = (telling or lines[-3:])[:_MOST_LINES]
    return "\n".join(line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + " ..." for line in chosen)
