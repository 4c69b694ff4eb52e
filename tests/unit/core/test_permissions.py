"""The least permissions: every resource as the service defines its ARN, for one identity, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.model import Access, Desired, Target
from reconciler.core.permissions import Bucket, Condition, Fetch, Needs, Statement, statements
from reconciler.core.sources import Source
from reconciler.errors import Origin

ROLE = "arn:aws:iam::210987654321:role/deploy"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop"
HERE = Access()


def desired(app: str = "d1", region: str = "eu-west-1", account: str | None = "123456789012", **access: str) -> Desired:
    target = Target(app, "prod", "auth", region, account)
    return Desired(app, target, Access(**access), {}, Origin("auth.yaml", 1, 1))


def resources(needs: Needs, sid: str, role: str | None = None) -> tuple[str, ...]:
    (found,) = [statement for statement in statements(needs, role=role) if statement.sid == sid]
    return found.resources


@pytest.mark.parametrize(
    ("document", "arn"),
    [
        (desired(), "arn:aws:amplifybackend:eu-west-1:123456789012:/backend/d1/*"),
        (desired(account=None), "arn:aws:amplifybackend:eu-west-1:*:/backend/d1/*"),
        (desired(region="cn-north-1"), "arn:aws-cn:amplifybackend:cn-north-1:123456789012:/backend/d1/*"),
        (desired(region="us-gov-west-1"), "arn:aws-us-gov:amplifybackend:us-gov-west-1:123456789012:/backend/d1/*"),
    ],
)
def test_a_backend_is_named_by_partition_region_account_and_app(document: Desired, arn: str) -> None:
    assert resources(Needs((document,)), "UpdateBackendAuth") == (arn,)


def test_a_backend_behind_a_role_is_in_the_roles_account() -> None:
    needs = Needs((desired(account=None, role_arn=ROLE),))
    assert resources(needs, "ReadBackendAuth", ROLE) == ("arn:aws:amplifybackend:eu-west-1:210987654321:/backend/d1/*",)


@pytest.mark.parametrize(
    ("name", "arns"),
    [
        ("/shop/google", ["arn:aws:ssm:eu-west-1:1:parameter/shop/google"]),
        ("google", ["arn:aws:ssm:eu-west-1:1:parameter/google"]),
        ("/shop/google:3", ["arn:aws:ssm:eu-west-1:1:parameter/shop/google"]),
        (
            "arn:aws:ssm:us-east-1:123456789012:parameter/shop/google:label",
            ["arn:aws:ssm:us-east-1:123456789012:parameter/shop/google"],
        ),
    ],
)
def test_a_parameter_is_named_without_its_version(name: str, arns: list[str]) -> None:
    needs = Needs((desired(),), (Fetch(Source("ssm", name, "eu-west-1", HERE), "1"),))
    assert resources(needs, "ReadParameters") == tuple(arns)


@pytest.mark.parametrize(
    ("name", "arns"),
    [
        ("shop/google", ["arn:aws:secretsmanager:eu-west-1:*:secret:shop/google-??????"]),
        (SECRET, [f"{SECRET}-??????"]),
        (f"{SECRET}-secret", [f"{SECRET}-secret", f"{SECRET}-secret-??????"]),
    ],
)
def test_a_secret_is_named_with_what_secrets_manager_puts_behind_its_name(name: str, arns: list[str]) -> None:
    needs = Needs((desired(),), (Fetch(Source("secretsmanager", name, "eu-west-1", HERE)),))
    assert resources(needs, "ReadSecrets") == tuple(arns)


def test_who_starts_a_run_may_assume_its_roles_and_does_nothing_in_their_place() -> None:
    reader = Access(role_arn="arn:aws:iam::111122223333:role/reader")
    fetch = Fetch(Source("ssm", "/key", "eu-west-1", reader), "123456789012")
    needs = Needs((desired(role_arn=ROLE),), (fetch,), Bucket("kept", "team"))
    mine = statements(needs)
    assert [statement.sid for statement in mine] == ["AssumeRoles", "KeepLedger", "ListLedger"]
    assert mine[0].resources == ("arn:aws:iam::111122223333:role/reader", ROLE)
    assert [statement.sid for statement in statements(needs, role=ROLE)] == ["ReadBackendAuth", "UpdateBackendAuth"]
    (read,) = statements(needs, role=reader.role_arn)
    assert read.resources == ("arn:aws:ssm:eu-west-1:111122223333:parameter/key",)


def test_a_ledger_is_its_prefix_alone_whose_characters_stand_for_themselves() -> None:
    objects, names = statements(Needs((desired(role_arn=ROLE),), (), Bucket("kept", "a*b", "cn-north-1")))[1:]
    assert objects.resources == ("arn:aws-cn:s3:::kept/a${*}b/*",)
    assert names == Statement(
        "ListLedger", ("s3:ListBucket",), ("arn:aws-cn:s3:::kept",), Condition("StringLike", "s3:prefix", "a${*}b/*")
    )


def test_a_ledger_without_a_prefix_is_the_bucket() -> None:
    objects, names = statements(Needs((desired(role_arn=ROLE),), (), Bucket("kept", "")))[1:]
    assert (objects.resources, names.condition) == (("arn:aws:s3:::kept/*",), None)


def test_what_is_only_observed_may_not_be_updated() -> None:
    needs = Needs((desired("d1"), replace(desired("d2"), observed=True)))
    assert resources(needs, "UpdateBackendAuth") == ("arn:aws:amplifybackend:eu-west-1:123456789012:/backend/d1/*",)
    assert len(resources(needs, "ReadBackendAuth")) == 2


def test_the_order_of_documents_does_not_matter_and_an_app_stands_once() -> None:
    one, other = desired("d1"), desired("d2")
    assert statements(Needs((one, other, one))) == statements(Needs((other, one)))
