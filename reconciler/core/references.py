"""The grammar of references: what stands in a document where a value lives elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEMES = ("env", "file", "ssm", "secretsmanager")
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*)\}|\$\{(?P<open>.*)", re.DOTALL)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


REMOTE = frozenset({"ssm", "secretsmanager"})
"""The schemes behind which a service of AWS is asked."""
OPEN_PREFIX = "RECONCILER_VAR_"
"""How the variables begin that any field may refer to."""

_OPTIONS = {
    "ssm": ("region", "role_arn"),
    "secretsmanager": ("region", "role_arn", "version_id", "version_stage"),
}
_PATTERNS = {
    "region": re.compile(r"[a-z]{2,}(-[a-z]+)+-\d"),
    "role_arn": re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+"),
    "version_id": re.compile(r"[\w-]{32,64}"),
    "version_stage": re.compile(r"[\w+=,.@/-]+"),
}
_EXAMPLES = {
    "region": "region=eu-west-1",
    "role_arn": "role_arn=arn:aws:iam::123456789012:role/reader",
    "version_id": "version_id=EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
    "version_stage": "version_stage=AWSPREVIOUS",
}
_NAMES = {
    "ssm": re.compile(r"(arn:[\w-]+:ssm:[\w-]+:\d{12}:parameter)?[\w./-]+(:\w[\w.-]*)?"),
    "secretsmanager": re.compile(r"(arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:)?[\w/+=.@!-]+"),
}
_ARN_REGION = re.compile(r"arn:[\w-]+:(?:ssm|secretsmanager):([\w-]+):")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``${scheme:name?option=value#key}`` in a string.

    ``default`` is what follows ``:-``, for ``env`` only. ``key`` leads to a value in the JSON of a secret of Secrets
    Manager, its parts joined by dots. The others are options: where a parameter or secret is, the role that may read
    it, and which version of a secret is meant; a parameter's version or label is part of its name, as in the AWS CLI.
    """

    scheme: str
    name: str
    default: str | None = None
    key: str | None = None
    region: str | None = None
    role_arn: str | None = None
    version_id: str | None = None
    version_stage: str | None = None

    def __str__(self) -> str:
        written = ((name, getattr(self, name)) for name in _OPTIONS.get(self.scheme, ()))
        options = "&".join(f"{name}={value}" for name, value in written if value is not None)
        key = "" if self.key is None else f"#{self.key}"
        return f"${{{self.scheme}:{self.name}{'?' if options else ''}{options}{key}}}"

    @property
    def place(self) -> str | None:
        """The region that the reference itself names: as an option, or in an ARN."""
        named = _ARN_REGION.match(self.name)
        return self.region or (named[1] if named else None)


@dataclass(frozen=True, slots=True)
class Template:
    """A string with references in it, as written, and taken apart."""

    text: str
    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references in the order in which they stand."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def is_remote(self) -> bool:
        """Whether a service of AWS is asked for a part of it, which may be a secret."""
        return any(reference.scheme in REMOTE for reference in self.references)

    @property
    def tells(self) -> bool:
        """Whether a part of the value stands in it in clear, as a default or beside the references."""
        return any(isinstance(part, str) or part.default for part in self.parts)


class ReferenceSyntax(ValueError):
    """A ``${`` that is no reference; the text says why, and holds no user data beyond the scheme."""


def parse_references(text: str) -> str | Template:
    """Read the references in a string; ``$${`` stands for a literal ``${``.

    Returns:
        The string itself, with ``$${`` settled, when it has no reference, otherwise a template.

    Raises:
        ReferenceSyntax: a ``${`` is not closed, has no known scheme, or no name.
    """
    if "${" not in text:
        return text
    parts: list[str | Reference] = []
    literal = ""
    end = 0
    for match in _REFERENCE.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        if match["open"] is not None:
            raise ReferenceSyntax("a reference is not closed: '}' is missing")
        if match["body"] is None:
            literal += "${"
            continue
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(_parse_reference(match["body"]))
    literal += text[end:]
    if literal:
        parts.append(literal)
    if any(isinstance(part, Reference) for part in parts):
        return Template(text, tuple(parts))
    return "".join(str(part) for part in parts)


def escape_references(text: str) -> str:
    """Write a literal string so that it reads back as itself: each ``${`` becomes ``$${``."""
    return text.replace("${", "$${")


def _parse_reference(body: str) -> Reference:
    scheme, colon, name = body.partition(":")
    if not colon or scheme not in SCHEMES:
        raise ReferenceSyntax(f"a reference names its source: one of {', '.join(SCHEMES)}, then a colon")
    default: str | None = None
    if scheme == "env":
        name, dash, rest = name.partition(":-")
        default = rest if dash else None
        if not _ENV_NAME.match(name):
            raise ReferenceSyntax("an environment variable's name has letters, digits and underscores")
    if not name:
        raise ReferenceSyntax("a reference has a name after the colon")
    return _parse_remote(scheme, name) if scheme in REMOTE else Reference(scheme, name, default)


def _parse_remote(scheme: str, text: str) -> Reference:
    """``name?option=value&option=value#key``, in this order, as a URL has it."""
    text, hash_, key = text.partition("#")
    name, _, written = text.partition("?")
    if hash_ and scheme == "ssm":
        raise ReferenceSyntax("a parameter of ssm has no '#key': it is taken whole")
    if hash_ and not all(key.split(".")):
        raise ReferenceSyntax("the key after '#' is names joined by dots")
    if "?" in key:
        raise ReferenceSyntax("options stand before the key: name?option=value#key")
    if not _NAMES[scheme].fullmatch(name):
        raise ReferenceSyntax(f"{scheme} has no such names: write the name, or the whole ARN")
    options: dict[str, str] = {}
    for option in written.split("&") if written else ():
        known, equals, value = option.partition("=")
        if known not in _OPTIONS[scheme] or known in options:
            raise ReferenceSyntax(f"the options of {scheme} are {', '.join(_OPTIONS[scheme])}, each once")
        if not equals or not _PATTERNS[known].fullmatch(value):
            raise ReferenceSyntax(f"the option {known} is written like {_EXAMPLES[known]}")
        options[known] = value
    return Reference(scheme, name, key=key if hash_ else None, **options)
