"""AmplifyMetaConfig: what matters is taken, secrets and stamps are not, and nonsense is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.core.meta import MetaUnreadable, read_meta


def read(**auth: Any) -> Any:
    return read_meta(json.dumps({"auth": auth}))


COGNITO = {"service": "Cognito", "serviceType": "managed", "output": {"UserPoolId": "p", "HostedUIDomain": "shop-prod"}}


def test_the_resource_is_the_one_whose_service_is_cognito() -> None:
    meta = read(shopauth=COGNITO, userPoolGroups={"service": "Cognito-UserPool-Groups"})
    assert meta.resources == ("shopauth",)
    assert meta.unseen == ("user groups",)
    assert meta.hosted_domain == "shop-prod"


def test_imported_auth_is_known_as_such() -> None:
    assert read(shopauth={**COGNITO, "serviceType": "imported"}).imported
    assert not read(shopauth=COGNITO).imported


def test_admin_queries_and_federation_are_seen() -> None:
    whole = {"api": {"AdminQueries": {}}, "auth": {"a": {**COGNITO, "output": {"GoogleWebClient": "id"}}}}
    assert read_meta(json.dumps(whole)).unseen == ("admin queries", "identity pool federation")


def test_secrets_stamps_and_hashes_are_left_behind() -> None:
    noisy = {
        **COGNITO,
        "lastPushTimeStamp": "now",
        "lastPushDirHash": "abc",
        "providerMetadata": {"s3": "x"},
        "output": {"AppClientSecret": "canary", "UserPoolId": "p", "list": [{"b": 1}, {"a": 1}]},
    }
    meta = read(shopauth=noisy)
    assert "canary" not in repr(meta)
    assert meta.auth["shopauth"] == {
        "service": "Cognito",
        "serviceType": "managed",
        "output": {"UserPoolId": "p", "list": [{"a": 1}, {"b": 1}]},
    }


def test_a_backend_without_auth_has_no_resources() -> None:
    assert read_meta("{}").resources == ()
    assert read_meta(json.dumps({"auth": {"odd": 1}})).resources == ()


@pytest.mark.parametrize("text", ["", "canary", "[]", "null", '{"auth": 1}'])
def test_what_is_no_meta_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(MetaUnreadable) as caught:
        read_meta(text)
    assert "canary" not in str(caught.value)
