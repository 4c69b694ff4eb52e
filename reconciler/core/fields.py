"""The field catalogue: one row for each leaf of ``ResourceConfig``, one for each block that can be removed.

All knowledge of kinds, sets, secrets, removal and meaninglessness is here; ``normalise``, ``diff`` and
``request`` only read it. A test holds it against botocore's model and against ``schemas/auth.schema.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

from reconciler.core.model import Path, dotted


class Kind(Enum):
    """How a leaf's value is read and compared."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"  # a double on the wire: 8, 8.0 and "8" are the same
    CHOICE = "choice"  # one of ``choices``
    CHOICES = "choices"  # a set of ``choices``
    URIS = "uris"  # a set for comparison; the written order is kept when sending


class Mismatch(Enum):
    """What a difference in a create-only member means."""

    BLOCKED = "blocked"  # only a new user pool could have it
    WARNING = "warning"  # reads of it are unreliable: said, and never in the way


class Removal(Enum):
    """What the request carries when a document says ``null``."""

    EMPTY_BLOCK = "{}"
    LEFT_OUT = "left out of its block, which is sent whole"
    EMPTY_LIST = "[]"


class Omission(Enum):
    """What the service does to a block that an update leaves out, or sends with holes."""

    KEPT = "kept"  # by documentation and by code
    RESET = "reset"  # by code: switched off, or set to a default


@dataclass(frozen=True, slots=True)
class When:
    """A leaf means something only while ``path`` has one of ``values``; with ``unless`` while it has none of them."""

    path: Path
    values: frozenset[str]
    unless: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf.

    ``needed`` marks a leaf without which its block is not whole. ``instead`` tells what to write where
    ``null`` is impossible. ``filled`` marks a leaf that the
    service fills when its block is new and the leaf is left out. ``synonym`` is the form with the
    environment in which a name may be read back.
    """

    path: Path
    kind: Kind
    choices: tuple[str, ...] = ()
    create_only: Mismatch | None = None
    secret: bool = False
    removal: Removal | None = None
    when: When | None = None
    needed: bool = False
    filled: bool = False
    synonym: str | None = None
    instead: str = ""
    name: str = field(init=False, repr=False)
    """The path as people write it."""

    def __post_init__(self) -> None:
        """Settle what is looked at for every leaf of every target."""
        object.__setattr__(self, "name", dotted(self.path))

    @property
    def is_set(self) -> bool:
        """Whether the value is a list that is compared as a set."""
        return self.kind is Kind.CHOICES or self.kind is Kind.URIS

    @property
    def may_hide(self) -> bool:
        """Whether a secret may stand here: in free text alone, since of anything else a plan must show what it does."""
        return self.secret or (self.kind is Kind.STRING and self.create_only is None and self.path != DOMAIN_PREFIX)


@dataclass(frozen=True, slots=True)
class Block:
    """One mapping: what ``null`` sends for it, or what to write instead, and what leaving it out does.

    Only the blocks that an update sends or leaves out as one have an ``omission``.
    """

    path: Path
    removal: Removal | None = None
    instead: str = ""
    omission: Omission | None = None


_POOL = ("UserPoolConfigs",)
_IDENTITY = ("IdentityPoolConfigs",)
OAUTH: Path = (*_POOL, "OAuth")
PROVIDERS: Path = (*OAUTH, "SocialProviderSettings")
DOMAIN_PREFIX: Path = (*OAUTH, "DomainPrefix")
FORGOT_PASSWORD: Path = (*_POOL, "ForgotPassword")
VERIFICATION: Path = (*_POOL, "VerificationMessage")
MFA: Path = (*_POOL, "Mfa")
MFA_MODE: Path = (*MFA, "MFAMode")
PASSWORD_POLICY: Path = (*_POOL, "PasswordPolicy")
CONSTRAINTS: Path = (*PASSWORD_POLICY, "AdditionalConstraints")
MINIMUM_LENGTH: Path = (*PASSWORD_POLICY, "MinimumLength")
AUTH_RESOURCES: Path = ("AuthResources",)
_DELIVERY = ("EMAIL", "SMS")
_SCOPES = ("PHONE", "EMAIL", "OPENID", "PROFILE", "AWS_COGNITO_SIGNIN_USER_ADMIN")
_CONSTRAINTS = ("REQUIRE_DIGIT", "REQUIRE_LOWERCASE", "REQUIRE_SYMBOL", "REQUIRE_UPPERCASE")
_ATTRIBUTES = (
    "ADDRESS", "BIRTHDATE", "EMAIL", "FAMILY_NAME", "GENDER", "GIVEN_NAME", "LOCALE", "MIDDLE_NAME", "NAME",
    "NICKNAME", "PHONE_NUMBER", "PICTURE", "PREFERRED_USERNAME", "PROFILE", "UPDATED_AT", "WEBSITE",
    "ZONE_INFO",
)  # fmt: skip
_WITH_IDENTITY_POOL = When(AUTH_RESOURCES, frozenset({"USER_POOL_ONLY"}), unless=True)
_WITH_MFA = When(MFA_MODE, frozenset({"OFF"}), unless=True)
_KEEP = "leave it out to keep what is live"


def _messages(block: Path) -> tuple[Field, ...]:
    """The four leaves that VerificationMessage and the deprecated ForgotPassword share."""
    method: Path = (*block, "DeliveryMethod")
    email, sms = When(method, frozenset({"EMAIL"})), When(method, frozenset({"SMS"}))
    subject: Path = (*block, "EmailSettings", "EmailSubject")
    return (
        Field(method, Kind.CHOICE, _DELIVERY, needed=True, instead=f"write EMAIL or SMS, or {_KEEP}"),
        Field((*block, "EmailSettings", "EmailMessage"), Kind.STRING, when=email, needed=True, instead=_KEEP),
        Field(subject, Kind.STRING, when=email, needed=True, instead=_KEEP),
        Field((*block, "SmsSettings", "SmsMessage"), Kind.STRING, when=sms, needed=True, instead=_KEEP),
    )


def _provider(name: str, members: tuple[str, ...], hidden: str) -> tuple[Field, ...]:
    """The leaves of one social provider; the whole provider is what can be removed."""
    instead = f"write '{name}: null' to remove the provider"
    return tuple(
        Field((*PROVIDERS, name, member), Kind.STRING, secret=member == hidden, needed=True, instead=instead)
        for member in members
    )


FIELDS: tuple[Field, ...] = (
    Field(
        AUTH_RESOURCES,
        Kind.CHOICE,
        ("USER_POOL_ONLY", "IDENTITY_POOL_AND_USER_POOL"),
        instead="write USER_POOL_ONLY to give up the identity pool",
    ),
    Field(
        (*_IDENTITY, "IdentityPoolName"),
        Kind.STRING,
        create_only=Mismatch.WARNING,
        when=_WITH_IDENTITY_POOL,
        filled=True,
        synonym="{name}__{environment}",
        instead=_KEEP,
    ),
    Field(
        (*_IDENTITY, "UnauthenticatedLogin"),
        Kind.BOOLEAN,
        when=_WITH_IDENTITY_POOL,
        filled=True,
        instead="write false to forbid guest access",
    ),
    Field(("Service",), Kind.CHOICE, ("COGNITO",), instead=_KEEP),
    *_messages(FORGOT_PASSWORD),
    Field(MFA_MODE, Kind.CHOICE, ("ON", "OFF", "OPTIONAL"), needed=True, instead="write OFF to switch MFA off"),
    Field(
        (*MFA, "Settings", "MfaTypes"),
        Kind.CHOICES,
        ("SMS", "TOTP"),
        when=_WITH_MFA,
        needed=True,
        instead="write 'MFAMode: OFF' to switch MFA off",
    ),
    Field((*MFA, "Settings", "SmsMessage"), Kind.STRING, when=_WITH_MFA, needed=True, instead=_KEEP),
    Field(DOMAIN_PREFIX, Kind.STRING, needed=True, filled=True, instead="write 'OAuth: null' to remove the hosted UI"),
    Field((*OAUTH, "OAuthGrantType"), Kind.CHOICE, ("CODE", "IMPLICIT"), needed=True, instead="write CODE or IMPLICIT"),
    Field(
        (*OAUTH, "OAuthScopes"),
        Kind.CHOICES,
        _SCOPES,
        needed=True,
        instead="write 'OAuth: null' to remove the hosted UI",
    ),
    Field(
        (*OAUTH, "RedirectSignInURIs"), Kind.URIS, needed=True, instead="write 'OAuth: null' to remove the hosted UI"
    ),
    Field(
        (*OAUTH, "RedirectSignOutURIs"), Kind.URIS, needed=True, instead="write 'OAuth: null' to remove the hosted UI"
    ),
    *_provider("Facebook", ("ClientId", "ClientSecret"), "ClientSecret"),
    *_provider("Google", ("ClientId", "ClientSecret"), "ClientSecret"),
    *_provider("LoginWithAmazon", ("ClientId", "ClientSecret"), "ClientSecret"),
    *_provider("SignInWithApple", ("ClientId", "KeyId", "PrivateKey", "TeamId"), "PrivateKey"),
    Field((*PASSWORD_POLICY, "AdditionalConstraints"), Kind.CHOICES, _CONSTRAINTS, removal=Removal.EMPTY_LIST),
    Field((*PASSWORD_POLICY, "MinimumLength"), Kind.INTEGER, needed=True, instead="write a length from 6 to 99"),
    Field(
        (*_POOL, "RequiredSignUpAttributes"),
        Kind.CHOICES,
        _ATTRIBUTES,
        create_only=Mismatch.WARNING,
        instead=_KEEP,
    ),
    Field(
        (*_POOL, "SignInMethod"),
        Kind.CHOICE,
        ("EMAIL", "EMAIL_AND_PHONE_NUMBER", "PHONE_NUMBER", "USERNAME"),
        create_only=Mismatch.BLOCKED,
        instead=_KEEP,
    ),
    Field(
        (*_POOL, "UserPoolName"),
        Kind.STRING,
        create_only=Mismatch.BLOCKED,
        synonym="{name}-{environment}",
        instead=_KEEP,
    ),
    *_messages(VERIFICATION),
)

BLOCKS: tuple[Block, ...] = (
    Block(_IDENTITY, instead="write 'AuthResources: USER_POOL_ONLY' to give up the identity pool"),
    Block(_POOL, instead="remove the parts one by one"),
    Block(FORGOT_PASSWORD, instead="leave it out: it is deprecated, and then not sent"),
    Block((*FORGOT_PASSWORD, "EmailSettings"), instead=_KEEP),
    Block((*FORGOT_PASSWORD, "SmsSettings"), instead=_KEEP),
    Block(MFA, instead="write 'MFAMode: OFF' to switch MFA off", omission=Omission.RESET),
    Block((*MFA, "Settings"), instead="write 'MFAMode: OFF' to switch MFA off"),
    Block(OAUTH, Removal.EMPTY_BLOCK, omission=Omission.KEPT),
    Block(PROVIDERS, instead="write null at each provider that is to be removed"),
    Block((*PROVIDERS, "Facebook"), Removal.LEFT_OUT),
    Block((*PROVIDERS, "Google"), Removal.LEFT_OUT),
    Block((*PROVIDERS, "LoginWithAmazon"), Removal.LEFT_OUT),
    Block((*PROVIDERS, "SignInWithApple"), Removal.LEFT_OUT),
    Block(
        PASSWORD_POLICY, instead="write the policy that is wanted; the service always has one", omission=Omission.KEPT
    ),
    Block(
        VERIFICATION,
        instead="write the message that is wanted, or leave it out to keep what is live",
        omission=Omission.RESET,
    ),
    Block((*VERIFICATION, "EmailSettings"), instead=_KEEP),
    Block((*VERIFICATION, "SmsSettings"), instead=_KEEP),
)

FIELD: Mapping[Path, Field] = MappingProxyType({row.path: row for row in FIELDS})
BLOCK: Mapping[Path, Block] = MappingProxyType({row.path: row for row in BLOCKS})
PLACES = tuple(dict.fromkeys(dotted(row.path[:length]) for row in FIELDS for length in range(1, len(row.path) + 1)))
"""Every block and every leaf, by the name that people write."""
SECRETS: tuple[Path, ...] = tuple(row.path for row in FIELDS if row.secret)
HIDEABLE: frozenset[Path] = frozenset(row.path for row in FIELDS if row.may_hide and not row.secret)
"""The free text in which a document may put a secret."""
NUMBERS: frozenset[Path] = frozenset(row.path for row in FIELDS if row.kind is Kind.INTEGER)
SENT_WHOLE: tuple[Block, ...] = tuple(row for row in BLOCKS if row.omission)
CREATE_ONLY: tuple[Field, ...] = tuple(row for row in FIELDS if row.create_only)
FILLED: tuple[Field, ...] = tuple(row for row in FIELDS if row.filled)
LINKS: tuple[Path, ...] = tuple(row.path for row in BLOCKS if row.path[:-1] == PROVIDERS)
"""The social providers' blocks."""
CONDITIONS: Mapping[Path, When] = MappingProxyType({row.path[:-1]: row.when for row in FIELDS if row.when is not None})
"""Each block that means something only under a condition, which looks at a leaf beside it."""

Shape: TypeAlias = "dict[str, Field | Shape]"


def _shape() -> Shape:
    shape: Shape = {}
    for row in FIELDS:
        below: Any = shape
        for part in row.path[:-1]:
            below = below.setdefault(part, {})
        below[row.path[-1]] = row
    return shape


SHAPE: Shape = _shape()
"""The catalogue as the tree that it describes, its rows at the leaves: one walk over a configuration meets them all."""

VERSION = 1
"""Changes whenever a row changes meaning, so that an older saved plan is refused."""
