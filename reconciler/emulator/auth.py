"""What creating and updating auth does to the stored configuration."""

from copy import deepcopy
from hashlib import sha256
from typing import Any

from reconciler.emulator.store import Document
from reconciler.emulator.switches import Switches

ALL_SCOPES = ("PHONE", "EMAIL", "OPENID", "PROFILE", "AWS_COGNITO_SIGNIN_USER_ADMIN")
IDENTITY_POOL = "IDENTITY_POOL_AND_USER_POOL"
_DEFAULT_LENGTH = 8
_REDIRECTS = ("RedirectSignInURIs", "RedirectSignOutURIs")
_PROVIDERS = "SocialProviderSettings"
_MFA_OFF_WITH_SETTINGS = (
    "Invalid MFA configuration: MFA is OFF and the request has SMS or TOTP settings: refused by Cognito"
)
_MFA_TO_ON = "Cannot turn MFA functionality ON, once the user pool has been created"


class JobRefusedError(Exception):
    """The deployment fails for this reason, minutes after the request was accepted."""


def created(resource: str, sent: Document) -> Document:
    """Return what the service stores for a new configuration, defaults filled in.

    Args:
        resource: The auth resource's name, from which missing names derive.
        sent: ResourceConfig as CreateBackendAuth takes it; any member may be missing.
    """
    config = deepcopy(sent)
    config.setdefault("Service", "COGNITO")
    config.setdefault("AuthResources", IDENTITY_POOL if "IdentityPoolConfigs" in config else "USER_POOL_ONLY")
    _settle_identity_pool(resource, config)
    pool = config.setdefault("UserPoolConfigs", {})
    pool.setdefault("UserPoolName", f"{resource}_userpool")
    pool.setdefault("SignInMethod", "EMAIL")
    pool.setdefault("RequiredSignUpAttributes", ["EMAIL"])
    if pool.get("Mfa", {}).get("MFAMode", "OFF") == "OFF":
        pool["Mfa"] = {"MFAMode": "OFF"}
    pool.setdefault("PasswordPolicy", {"MinimumLength": _DEFAULT_LENGTH, "AdditionalConstraints": []})
    oauth = pool.pop("OAuth", None)
    if oauth:
        changed = _reset_oauth(resource, {}, oauth)
        if changed is not None:
            pool["OAuth"] = changed
    return config


def updated(resource: str, live: Document, sent: Document, switches: Switches) -> Document:
    """Return the live configuration after an update.

    Args:
        resource: The auth resource's name.
        live: The stored ResourceConfig, which stays as it is.
        sent: ResourceConfig as UpdateBackendAuth takes it.
        switches: Above all, what happens to what is left out.

    Raises:
        JobRefusedError: Cognito would refuse it.
    """
    config = deepcopy(live)
    config |= {"AuthResources": sent["AuthResources"], "Service": sent["Service"]}
    _update_identity_pool(resource, config, sent.get("IdentityPoolConfigs", {}), switches)
    pool = config["UserPoolConfigs"]
    change = deepcopy(sent["UserPoolConfigs"])
    if switches.forgot_password == "mapped":  # noqa: S105 - a switch, no password
        _take_one_for_the_other(change)
    _update_mfa(pool, change, switches)
    _update_password_policy(pool, change, switches)
    _update_message(pool, change, "VerificationMessage", keep=switches.omitted == "keep")
    _update_message(pool, change, "ForgotPassword", keep=switches.omitted != "wipe")
    _update_oauth(resource, pool, change, switches)
    return config


def _settle_identity_pool(resource: str, config: Document) -> None:
    if config["AuthResources"] == IDENTITY_POOL:
        pool = config.setdefault("IdentityPoolConfigs", {})
        pool.setdefault("IdentityPoolName", f"{resource}_identitypool")
        pool.setdefault("UnauthenticatedLogin", False)
    else:
        config.pop("IdentityPoolConfigs", None)


def _update_identity_pool(resource: str, config: Document, change: Document, switches: Switches) -> None:
    _settle_identity_pool(resource, config)
    if config["AuthResources"] == IDENTITY_POOL:
        if switches.omitted == "wipe":
            config["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
        config["IdentityPoolConfigs"].update(change)


def _update_mfa(pool: Document, change: Document, switches: Switches) -> None:
    before = pool["Mfa"]
    mfa = change.get("Mfa", {})
    if switches.omitted == "keep":
        mfa = {"MFAMode": before["MFAMode"], **mfa}
    mode = mfa.get("MFAMode", "OFF")
    if mode == "OFF":
        refuse_mfa_off_with_settings(mfa)
        pool["Mfa"] = {"MFAMode": "OFF"}
        return
    if mode == "ON" and before["MFAMode"] != "ON" and switches.mfa_on_after_creation == "refused":
        raise JobRefusedError(_MFA_TO_ON)
    pool["Mfa"] = {"MFAMode": mode, "Settings": {**before.get("Settings", {}), **mfa.get("Settings", {})}}


def refuse_mfa_off_with_settings(mfa: Document) -> None:
    """Refuse what Cognito refuses.

    Raises:
        JobRefusedError: MFA is OFF and has settings.
    """
    if mfa.get("MFAMode") == "OFF" and "Settings" in mfa:
        raise JobRefusedError(_MFA_OFF_WITH_SETTINGS)


def _update_password_policy(pool: Document, change: Document, switches: Switches) -> None:
    before = pool["PasswordPolicy"]
    if "PasswordPolicy" in change:
        policy = change["PasswordPolicy"]
        policy.setdefault("MinimumLength", before["MinimumLength"])
        kept = before.get("AdditionalConstraints", []) if switches.omitted == "keep" else []
        policy.setdefault("AdditionalConstraints", kept)
        pool["PasswordPolicy"] = policy
    elif switches.omitted == "wipe":
        pool["PasswordPolicy"] = {"MinimumLength": _DEFAULT_LENGTH, "AdditionalConstraints": []}


def _update_message(pool: Document, change: Document, block: str, *, keep: bool) -> None:
    if block in change:
        pool[block] = change[block]
    elif not keep:
        pool.pop(block, None)


def _take_one_for_the_other(change: Document) -> None:
    """Let VerificationMessage, or else ForgotPassword, stand for both."""
    block = change.get("VerificationMessage", change.get("ForgotPassword"))
    if block is not None:
        change |= {"VerificationMessage": block, "ForgotPassword": deepcopy(block)}


def _update_oauth(resource: str, pool: Document, change: Document, switches: Switches) -> None:
    before: Document = pool.get("OAuth", {})
    if "OAuth" not in change:
        if switches.omitted == "wipe":
            pool.pop("OAuth", None)
        return
    sent = change["OAuth"]
    if not sent:
        pool.pop("OAuth", None)
        return
    if switches.omitted == "keep":
        providers = {**before.get(_PROVIDERS, {}), **sent.get(_PROVIDERS, {})}
        sent = {**before, **sent, _PROVIDERS: providers}
    elif switches.omitted == "wipe":
        sent.setdefault("DomainPrefix", generated_prefix(resource))
    changed = _reset_oauth(resource, before, sent)
    if changed is not None:
        pool["OAuth"] = changed


def _reset_oauth(resource: str, before: Document, sent: Document) -> Document | None:
    """Return the OAuth block after the CLI's own code, or None where it loses the whole change.

    The code needs both redirect lists and says nothing where one is missing.
    """
    if not all(sent.get(name) for name in _REDIRECTS):
        return None
    oauth: Document = {
        "DomainPrefix": sent.get("DomainPrefix") or before.get("DomainPrefix") or generated_prefix(resource),
        "OAuthGrantType": sent.get("OAuthGrantType", "CODE"),
        "OAuthScopes": sent.get("OAuthScopes") or list(ALL_SCOPES),
        **{name: sent[name] for name in _REDIRECTS},
    }
    providers = _linked_providers(before.get(_PROVIDERS, {}), sent.get(_PROVIDERS, {}))
    if providers:
        oauth[_PROVIDERS] = providers
    return oauth


def _linked_providers(before: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return the providers after a change; one sent without all its members is skipped silently."""
    providers: dict[str, Any] = {}
    for name, settings in sent.items():
        apple = name == "SignInWithApple"
        needed = ("ClientId", "TeamId", "KeyId", "PrivateKey") if apple else ("ClientId", "ClientSecret")
        if all(settings.get(member) for member in needed):
            providers[name] = settings
        elif name in before:
            providers[name] = before[name]
    return providers


def generated_prefix(resource: str) -> str:
    """Return the domain prefix that the service makes up where none was ever written."""
    letters = "".join(letter for letter in resource.lower() if letter.isascii() and letter.isalnum())
    return f"{letters[:20]}{sha256(resource.encode()).hexdigest()[:8]}"
