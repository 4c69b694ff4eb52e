"""Everything about the service that nobody knows for sure, as switches with allowed values."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Self

from reconciler.emulator.model import service_model

# How a masked secret reads; `{lead}` is the secret's own beginning.
MASKS: Mapping[str, str] = {
    "stars": "****",
    "bullets": "\u2022" * 8,
    "leading": "{lead}********",
    "x": "xxxxxxxx",
    "redacted": "REDACTED",
}
_BOOLEANS = {"on": True, "off": False, "true": True, "false": False}
_CHOICES = "choices"


def _choice(*values: str) -> Any:
    """Declare a switch with named values; the first is the default."""
    return field(default=values[0], metadata={_CHOICES: values})


@dataclass(frozen=True, slots=True)
class Switches:
    """One behaviour of the service in each place where several are possible.

    Attributes:
        secrets: How ClientSecret is read back.
        mask: The spelling of a masked secret (see MASKS).
        apple_key: How Apple's PrivateKey is read back.
        omitted: What an update does to what it leaves out: as the CLI's code (reset), as documented
            (keep), or everything to its default (wipe).
        domain: DomainPrefix is read as it was written (plain) or with `-<env>` behind it (suffix).
        job_seconds: How long a job runs; 0 completes at once.
        missing: API names of members that a read of auth leaves out, such as AdditionalConstraints or
            ResourceName.
        empty_lists: Empty lists are read as such, or not at all.
        sign_up: RequiredSignUpAttributes are read as stored or without the last one.
        list_order: Lists are read as stored, in an order that changes with every read, or with a duplicate.
        canonical: Redirect URIs are read as stored, with a trailing slash, or with a lower-case host.
        min_length: MinimumLength is a number or a string on the wire.
        mfa_off_settings: What Mfa.Settings is while MFA is OFF.
        stale_reads: How many reads of auth after a job still show what was before.
        absent_auth: How a read of auth that is not there fails: NotFoundException, a 200 with Error, or a
            400 that names ResourceNotFoundException.
        forgot_password: ForgotPassword stands alone, or is taken for VerificationMessage.
        pool_name_suffix: UserPoolName is read as `<name>-<env>`, IdentityPoolName as `<name>__<env>`.
        user_groups: The meta shows user groups until an update clears them.
        admin_queries: The meta shows admin queries until an update clears them.
        identity_federation: The meta shows social logins of the identity pool until an update clears them.
        mfa_on_after_creation: MFAMode ON for a pool that exists is accepted, or fails the job.
        rules: Jobs fail on values that Cognito does not take (enforced), or take them (ignored).
        job_id: Whether the answer to a mutation has a JobId.
    """

    secrets: str = _choice("absent", "clear", "masked")
    mask: str = _choice(*MASKS)
    apple_key: str = _choice("absent", "clear", "masked")
    omitted: str = _choice("reset", "keep", "wipe")
    domain: str = _choice("plain", "suffix")
    job_seconds: float = 2.0
    missing: tuple[str, ...] = ()
    empty_lists: str = _choice("present", "absent")
    sign_up: str = _choice("stored", "shortened")
    list_order: str = _choice("stored", "shuffled", "duplicated")
    canonical: str = _choice("none", "slash", "lowercase")
    min_length: str = _choice("number", "string")
    mfa_off_settings: str = _choice("absent", "empty", "present")
    stale_reads: int = 0
    absent_auth: str = _choice("notfound", "error200", "badrequest")
    forgot_password: str = _choice("separate", "mapped")
    pool_name_suffix: bool = False
    user_groups: bool = False
    admin_queries: bool = False
    identity_federation: bool = False
    mfa_on_after_creation: str = _choice("accepted", "refused")
    rules: str = _choice("enforced", "ignored")
    job_id: str = _choice("present", "absent")

    def __post_init__(self) -> None:
        for entry in fields(self):
            _check(entry.name, getattr(self, entry.name), entry.default, entry.metadata.get(_CHOICES))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all switches."""
        return tuple(entry.name for entry in fields(cls))

    @classmethod
    def choices(cls) -> dict[str, str]:
        """Return what may be written for each switch, by its name, for help texts."""
        return {entry.name: _spelling(entry.default, entry.metadata.get(_CHOICES)) for entry in fields(cls)}

    @classmethod
    def parse(cls, items: Iterable[str], base: Self | None = None) -> Self:
        """Return `base`, or the defaults, with `name=value` items set.

        Raises:
            ValueError: An item is no `name=value`, or its name or value is unknown.
        """
        switches = base or cls()
        defaults = {entry.name: entry.default for entry in fields(cls)}
        for item in items:
            name, equals, text = item.partition("=")
            name = name.strip()
            if not equals:
                raise ValueError(f"{item}: write a switch as name=value")
            if name not in defaults:
                raise ValueError(f"{name}: no such switch; there are {', '.join(defaults)}")
            switches = replace(switches, **{name: _parse_value(name, text.strip(), defaults[name])})
        return switches

    def to_json(self) -> str:
        """Return the switches as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `to_json` wrote.

        Raises:
            ValueError: A name or value is unknown.
        """
        return cls().updated(json.loads(text))

    def updated(self, values: Any) -> Self:
        """Return these switches with others set, by name, to values as JSON has them.

        Raises:
            ValueError: It is no mapping, or a name or value is unknown.
        """
        if not isinstance(values, Mapping):
            raise ValueError('must be an object such as {"stale_reads": 2}')  # noqa: TRY004 - of what was written
        names = self.names()
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ValueError(f"{unknown[0]}: no such switch; there are {', '.join(names)}")
        typed: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return replace(self, **typed)


@lru_cache(maxsize=32)
def switches_from(text: str | None) -> Switches:
    """Return stored switches, or the defaults where none were stored."""
    return Switches() if text is None else Switches.from_json(text)


def _parse_value(name: str, text: str, default: Any) -> Any:
    match default:
        case bool():
            if text not in _BOOLEANS:
                raise ValueError(f"{name}={text}: must be on or off")
            return _BOOLEANS[text]
        case int() | float():
            try:
                return type(default)(text)
            except ValueError:
                raise ValueError(f"{name}={text}: must be {_spelling(default, None)}") from None
        case tuple():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case _:
            return text


def _check(name: str, value: Any, default: Any, choices: tuple[str, ...] | None) -> None:
    if choices is not None and value not in choices:
        raise ValueError(f"{name}={value}: must be one of {', '.join(choices)}")
    # A whole number is a number; a boolean is neither, though Python says so.
    fits = isinstance(value, int | float if isinstance(default, float) else type(default))
    if not fits or isinstance(value, bool) is not isinstance(default, bool):
        raise ValueError(f"{name}={value}: must be {_spelling(default, None)}")
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise ValueError(f"{name}={value}: must not be negative or infinite")
    if isinstance(value, tuple):
        known = service_model().names_below("GetBackendAuthResponse")
        for member in value:
            if member not in known:
                raise ValueError(f"{name}={member}: the answer of GetBackendAuth has no such member")


def _spelling(default: Any, choices: tuple[str, ...] | None) -> str:
    match default:
        case bool():
            return "on|off"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case tuple():
            return "names separated by commas"
        case _:
            return "|".join(choices or ())
