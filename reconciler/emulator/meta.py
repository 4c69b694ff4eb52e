"""AmplifyMetaConfig: what GetBackend tells of a backend, in the form of amplify-meta.json."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from reconciler.emulator.auth import IDENTITY_POOL
from reconciler.emulator.store import Document, Environment
from reconciler.emulator.switches import Switches

# Stands for any app client secret, so that tests can look for it where it must not be.
PLANTED_CLIENT_SECRET = "planted1app2client3secret4which5nobody6may7print8"  # noqa: S105 - invented, to be found

# Switches whose things an update clears, since the API cannot express them.
EXTRAS = ("user_groups", "admin_queries", "identity_federation")
# A change in the meta under this name concerns the auth resource, whatever it is called.
RESOURCE = "*"


def extras(switches: Switches, document: Document) -> frozenset[str]:
    """Return which of EXTRAS the environment still has."""
    return frozenset(name for name in EXTRAS if getattr(switches, name)) - set(document["cleared"])


def meta_config(key: Environment, document: Document, config: Document | None, switches: Switches) -> str:
    """Return the meta as the JSON string which the service answers with.

    Args:
        key: Whose meta.
        document: The environment's document.
        config: Its ResourceConfig as a read shows it just now, None without auth.
        switches: Which extras there are.
    """
    stamp = f"amplify-{key.app}-{key.environment}"
    meta: Document = {
        "providers": {
            "awscloudformation": {
                "AuthRoleName": f"{stamp}-authRole",
                "UnauthRoleName": f"{stamp}-unauthRole",
                "Region": key.region,
                "DeploymentBucketName": f"{stamp}-deployment",
                "StackName": stamp,
                "StackId": f"arn:aws:cloudformation:{key.region}:{key.account}:stack/{stamp}",
                "AmplifyAppId": key.app,
            }
        }
    }
    if config is not None:
        there = extras(switches, document)
        auth: Document = {document["resource"]: _resource(key, document, config, there)}
        if "user_groups" in there:
            auth["userPoolGroups"] = _user_groups(key, document)
        meta["auth"] = _changed(auth, document)
        if "admin_queries" in there:
            meta |= _admin_queries(document)
    return json.dumps(meta)


def identifier(key: Environment, document: Document, what: str, length: int) -> str:
    """Return an identifier that stays the same until auth is created anew."""
    seed = json.dumps([*key, document["generation"], what])
    return sha256(seed.encode()).hexdigest()[:length]


def _resource(key: Environment, document: Document, config: Document, there: frozenset[str]) -> Document:
    pushed = datetime.fromtimestamp(document["pushed"], UTC).isoformat(timespec="milliseconds")
    return {
        "service": "Cognito",
        "serviceType": "imported" if document["imported"] else "managed",
        "providerPlugin": "awscloudformation",
        "dependsOn": [],
        "customAuth": False,
        "frontendAuthConfig": _frontend(config["UserPoolConfigs"]),
        "output": _output(key, document, config, there),
        "lastPushTimeStamp": pushed.replace("+00:00", "Z"),
        "lastPushDirHash": sha256(json.dumps([config, document["pushed"]]).encode()).hexdigest()[:28],
        "providerMetadata": {
            "s3TemplateURL": f"https://s3.amazonaws.com/amplify-{key.app}/cloudformation-template.json",
            "logicalId": f"auth{document['resource']}",
        },
    }


def _output(key: Environment, document: Document, config: Document, there: frozenset[str]) -> Document:
    pool = config["UserPoolConfigs"]
    given: Mapping[str, str] = document["imported"] or {}
    user_pool = given.get("UserPoolId", f"{key.region}_{identifier(key, document, 'pool', 9)}")
    output: Document = {
        "UserPoolId": user_pool,
        "UserPoolArn": f"arn:aws:cognito-idp:{key.region}:{key.account}:userpool/{user_pool}",
        "UserPoolName": pool["UserPoolName"],
        "AppClientID": given.get("NativeClientId", identifier(key, document, "native", 26)),
        "AppClientIDWeb": given.get("WebClientId", identifier(key, document, "web", 26)),
        "AppClientSecret": PLANTED_CLIENT_SECRET,
    }
    if config["AuthResources"] == IDENTITY_POOL:
        generated = f"{key.region}:{identifier(key, document, 'identity', 32)}"
        output["IdentityPoolId"] = given.get("IdentityPoolId", generated)
        output["IdentityPoolName"] = config["IdentityPoolConfigs"]["IdentityPoolName"]
    if "OAuth" in pool:
        oauth = pool["OAuth"]
        output["HostedUIDomain"] = f"{oauth['DomainPrefix']}-{key.environment}"
        output["OAuthMetadata"] = json.dumps(
            {
                "AllowedOAuthFlows": [oauth["OAuthGrantType"].lower()],
                "AllowedOAuthScopes": [_scope(scope) for scope in oauth["OAuthScopes"]],
                "CallbackURLs": oauth["RedirectSignInURIs"],
                "LogoutURLs": oauth["RedirectSignOutURIs"],
            }
        )
    if "identity_federation" in there:
        output["GoogleWebClient"] = "1234567890-web.apps.googleusercontent.com"
        output["FacebookWebClient"] = "123456789012345"
    return output


def _scope(name: str) -> str:
    return "aws.cognito.signin.user.admin" if name.startswith("AWS") else name.lower()


def _frontend(pool: Document) -> Document:
    sign_in = {"EMAIL_AND_PHONE_NUMBER": ["EMAIL", "PHONE_NUMBER"], "USERNAME": []}
    providers = {"LoginWithAmazon": "AMAZON", "SignInWithApple": "APPLE"}
    policy = pool["PasswordPolicy"]
    verification = pool.get("VerificationMessage")
    mechanism = {"EMAIL": "EMAIL", "SMS": "PHONE_NUMBER"}
    return {
        "socialProviders": [
            providers.get(name, name.upper())
            for name in sorted(pool.get("OAuth", {}).get("SocialProviderSettings", {}))
        ],
        "usernameAttributes": sign_in.get(pool["SignInMethod"], [pool["SignInMethod"]]),
        "signupAttributes": pool["RequiredSignUpAttributes"],
        "passwordProtectionSettings": {
            "passwordPolicyMinLength": policy["MinimumLength"],
            "passwordPolicyCharacters": [
                name.replace("REQUIRE_", "REQUIRES_") for name in policy.get("AdditionalConstraints", [])
            ],
        },
        "mfaConfiguration": pool["Mfa"]["MFAMode"],
        "mfaTypes": pool["Mfa"].get("Settings", {}).get("MfaTypes", []),
        "verificationMechanisms": [mechanism[verification["DeliveryMethod"]]] if verification else [],
    }


def _user_groups(key: Environment, document: Document) -> Document:
    return {
        "service": "Cognito-UserPool-Groups",
        "providerPlugin": "awscloudformation",
        "dependsOn": [
            {"category": "auth", "resourceName": document["resource"], "attributes": ["UserPoolId", "AppClientID"]}
        ],
        "output": {"AdminsGroupRole": f"arn:aws:iam::{key.account}:role/AdminsGroupRole"},
    }


def _admin_queries(document: Document) -> Document:
    function = f"AdminQueries{document['resource']}"
    return {
        "function": {function: {"service": "Lambda", "providerPlugin": "awscloudformation", "build": True}},
        "api": {
            "AdminQueries": {
                "service": "API Gateway",
                "providerPlugin": "awscloudformation",
                "authorizationType": "AMAZON_COGNITO_USER_POOLS",
                "dependsOn": [
                    {"category": "function", "resourceName": function, "attributes": ["Arn", "Name"]},
                    {"category": "auth", "resourceName": document["resource"], "attributes": ["UserPoolId"]},
                ],
            }
        },
    }


def _changed(auth: Document, document: Document) -> Document:
    """Return the meta's auth part with the changes that a fault left behind; None removes."""
    auth = deepcopy(auth)
    for path, value in document["meta_changes"]:
        names = [document["resource"] if name == RESOURCE else name for name in path.split(".")]
        place: Any = auth
        for name in names[:-1]:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(names[-1], None)
        else:
            place[names[-1]] = value
    return auth
