"""What stands in the way of a change, and what a person should know before it: blocks, guards, warnings."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.fields import (
    AUTH_RESOURCES,
    CREATE_ONLY,
    DOMAIN_PREFIX,
    FIELD,
    FORGOT_PASSWORD,
    LINKS,
    MFA,
    MFA_MODE,
    OAUTH,
    PROVIDERS,
    VERIFICATION,
    Mismatch,
)
from reconciler.core.guards import GUARDS, UNSEEN_SETTINGS
from reconciler.core.model import Action, Change, Desired, Finding, Live, Path, Tree, dotted
from reconciler.core.normalise import same_name
from reconciler.core.secret import Doubt, Standing
from reconciler.core.tree import ABSENT, get
from reconciler.core.wholeness import Wholeness


def create_only_differences(desired: Desired, wanted: Tree, live: Tree) -> tuple[list[Change], list[Finding]]:
    """Differences in members that only creation can set: blocked changes, and warnings where reads are unreliable."""
    blocked: list[Change] = []
    warnings: list[Finding] = []
    for row in CREATE_ONLY:
        written, read = get(wanted, row.path), get(live, row.path)
        if written is ABSENT or written == read:
            continue
        if (
            isinstance(written, str)
            and isinstance(read, str)
            and same_name(row, read, written, desired.target.environment)
        ):
            continue
        origin = desired.origin_of(row.path)
        if read is ABSENT:
            summary = f"{dotted(row.path)} was not returned by the service, and can't be compared"
            warnings.append(Finding("create-only-unread", summary, origin=origin))
        elif row.create_only is Mismatch.WARNING:
            warnings.append(
                Finding(
                    "create-only-differs",
                    f"{dotted(row.path)} differs from live and can't be changed",
                    "It is chosen when the user pool is created. It is compared and never sent.",
                    "write what is live, or leave it out",
                    origin,
                )
            )
        elif isinstance(written, str):
            reason = "only a new user pool could have it, and every user would be lost"
            blocked.append(Change(row.path, Action.CHANGE, str(read), written, origin, blocked=reason))
    return blocked, warnings


def blocks(desired: Desired, live: Live, changes: tuple[Change, ...], whole: Wholeness) -> Iterator[Finding]:
    """What makes the changes impossible through this API, each with the way out."""
    for change in changes:
        if change.blocked and FIELD.get(change.path) in CREATE_ONLY:
            yield Finding(
                "create-only",
                f"{dotted(change.path)} can't be changed: {change.blocked}",
                hint="write what is live, or leave it out",
                origin=change.origin,
            )
    if changes and live.meta is not None and live.meta.imported:
        yield Finding(
            "imported-auth",
            "the auth resource was imported, and an imported one can't be updated",
            "AmplifyMetaConfig says serviceType: imported.",
            "change the user pool where it is managed",
            desired.origin,
        )
    if whole.stuck:
        yield Finding(
            "oauth-not-whole",
            "OAuth can't be changed, because the block can't be sent whole",
            "; ".join(str(hole) for hole in whole.stuck) + ". Sent without it the service loses the change or more.",
            "; ".join(dict.fromkeys(hole.hint for hole in whole.stuck)),
            next((change.origin for change in changes if change.path[: len(OAUTH)] == OAUTH), desired.origin),
        )


def guards(desired: Desired, live: Live, changes: tuple[Change, ...], whole: Wholeness) -> Iterator[Finding]:
    """Changes that are possible and dangerous; each passes only when its code is allowed."""
    hint = "if that is meant, allow it with --allow {code} or 'allow: [{code}]' in the document"

    def guard(code: str, detail: str, path: Path) -> Finding:
        return Finding(code, GUARDS[code], detail, hint.format(code=code), desired.origin_of(path))

    after = {change.path: change.after for change in changes}
    if after.get(AUTH_RESOURCES) == "USER_POOL_ONLY":
        yield guard("identity-pool-deletion", "AuthResources becomes USER_POOL_ONLY.", AUTH_RESOURCES)
    if after.get(MFA_MODE) == "ON":
        detail = "Cannot turn MFA functionality ON, once the user pool has been created: the job may fail with this."
        yield guard("mfa-on", detail, MFA_MODE)
    for block, holes in whole.reset if changes else ():
        yield guard(
            "unread-mfa" if block == MFA else "unread-verification",
            f"{dotted(block)}: {'; '.join(str(hole) for hole in holes)}.",
            block,
        )
    if changes and live.meta is not None and live.meta.unseen:
        yield guard(UNSEEN_SETTINGS, f"The backend has {', '.join(live.meta.unseen)}.", ())


def warnings(desired: Desired, wanted: Tree, live: Live, changes: tuple[Change, ...]) -> Iterator[Finding]:
    """What is in nobody's way and should be known before the change."""
    moved = {change.path: change for change in changes}
    yield from _losses(desired, wanted, live)
    mode = moved.get(MFA_MODE)
    if mode is not None and mode.after == "OFF":
        yield Finding("mfa-off", "MFA is switched off for every user", origin=mode.origin)
    domain = moved.get(DOMAIN_PREFIX)
    if domain is not None and domain.before is not None and domain.after is not None:
        yield Finding(
            "domain-change",
            "the old hosted UI domain is deleted before the new one exists: sign-in is down meanwhile",
            origin=domain.origin,
        )
    tree = live.tree
    suffixed = live.domain_settled and get(tree, DOMAIN_PREFIX) != live.domain_read
    written = desired.settings.get(DOMAIN_PREFIX) if suffixed and domain is None else None
    if written is not None and written.value == live.domain_read:
        yield Finding(
            "domain-suffix",
            "DomainPrefix is written with the environment that the service appends when it is read",
            hint=f"write {get(tree, DOMAIN_PREFIX)}",
            origin=desired.origin_of(DOMAIN_PREFIX),
        )
    verification = next((path for path in moved if path[: len(VERIFICATION)] == VERIFICATION), None)
    if verification and get(tree, FORGOT_PASSWORD) is not ABSENT and get(wanted, FORGOT_PASSWORD) is ABSENT:
        yield Finding(
            "forgot-password-follows",
            "ForgotPassword is live and not managed: it may move along with VerificationMessage",
            origin=moved[verification].origin,
        )
    if changes and get(wanted, FORGOT_PASSWORD) is not ABSENT:
        yield Finding(
            "forgot-password",
            "ForgotPassword is deprecated: the service has mapped it onto VerificationMessage before",
            hint="write VerificationMessage instead",
            origin=desired.origin_of(FORGOT_PASSWORD),
        )


def _losses(desired: Desired, wanted: Tree, live: Live) -> Iterator[Finding]:
    """Ways to sign in that a document takes away."""
    tree = live.tree
    if get(wanted, OAUTH) is None and get(tree, OAUTH) is not ABSENT:
        summary = "the hosted UI and its domain are deleted: nobody can sign in through it any more"
        yield Finding("hosted-ui-removal", summary, origin=desired.origin_of(OAUTH))
    for provider in LINKS if get(tree, PROVIDERS) is not ABSENT else ():
        if get(wanted, provider) is None and get(tree, provider) is not ABSENT:
            summary = f"people who sign in with {provider[-1]} can't any more"
            yield Finding("provider-removal", summary, origin=desired.origin_of(provider))


def secret_warnings(desired: Desired, secrets: tuple[Standing, ...]) -> Iterator[Finding]:
    """Secrets of which the ledger knows more than this run can tell."""
    ways = {
        Doubt.NO_KEY: ("ledger-key-missing", "set RECONCILER_LEDGER_KEY to the key of the runs before"),
        Doubt.OTHER_KEY: (
            "ledger-key-differs",
            "set the key of the runs before, or send it once with --send-secrets",
        ),
    }
    for doubt, (code, hint) in ways.items() if secrets else ():
        found = [standing.path for standing in secrets if standing.doubt is doubt]
        if found:
            summary = f"not known whether rotated: {_names(found)}"
            yield Finding(code, summary, f"{_sentence(doubt)}.", hint, desired.origin_of(found[0]))


_NOT_SENT = (
    Doubt.NEVER_PROVEN,
    Doubt.UNCERTAIN,
    Doubt.OTHER_IDS,
    Doubt.UNREAD,
    Doubt.UNRESOLVED,
    Doubt.OTHER_REFERENCE,
)
"""Why a secret is unproven and left as it is."""


def secret_notes(desired: Desired, secrets: tuple[Standing, ...], changes: tuple[Change, ...]) -> Iterator[Finding]:
    """Unproven secrets of which nothing becomes."""
    moved = {change.path for change in changes}
    for doubt in _NOT_SENT if secrets else ():
        found = [one for one in secrets if one.doubt is doubt and one.path not in moved]
        if not found:
            continue
        summary = f"unproven, and perhaps another than the live one: {_names([one.path for one in found])}"
        hint = "--send-secrets sends it once, and from then on its rotation is seen"
        if found[0].unresolved:
            hint = "plan where secrets may be read, to see whether it was rotated; apply refuses a saved plan if it was"
        elif doubt is Doubt.UNREAD:
            hint = "let the ledger be read"
        elif any(one.fingerprint is None for one in found):
            hint = f"set RECONCILER_LEDGER_KEY; then {hint}"
        yield Finding("secret-unproven", summary, f"{_sentence(doubt)}.", hint, desired.origin_of(found[0].path))


def _names(paths: list[Path]) -> str:
    return ", ".join(dotted(path[-2:]) for path in paths)


def _sentence(doubt: Doubt) -> str:
    return doubt.value[0].upper() + doubt.value[1:]
