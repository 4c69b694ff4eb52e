"""The grammar of references: what is written comes apart as it is meant, and what is not meant is said."""

import pytest

from reconciler.core.model import Access
from reconciler.core.references import Reference, ReferenceSyntax, Template, parse_references
from reconciler.core.sources import Source, source_of

ROLE = "arn:aws:iam::123456789012:role/team/reader"
VERSION = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/google-AbCdEf"


def only(text: str) -> Reference:
    parsed = parse_references(text)
    assert isinstance(parsed, Template)
    (reference,) = parsed.references
    return reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("${ssm:/shop/google}", Reference("ssm", "/shop/google")),
        ("${ssm:plain-name}", Reference("ssm", "plain-name")),
        ("${ssm:/shop/google:3}", Reference("ssm", "/shop/google:3")),
        ("${ssm:/shop/google:current}", Reference("ssm", "/shop/google:current")),
        ("${ssm:/a?region=eu-west-1}", Reference("ssm", "/a", region="eu-west-1")),
        (
            f"${{ssm:/a?region=us-gov-west-1&role_arn={ROLE}}}",
            Reference("ssm", "/a", region="us-gov-west-1", role_arn=ROLE),
        ),
        ("${secretsmanager:shop/google}", Reference("secretsmanager", "shop/google")),
        ("${secretsmanager:shop/google#web.secret}", Reference("secretsmanager", "shop/google", key="web.secret")),
        (f"${{secretsmanager:{SECRET_ARN}#k}}", Reference("secretsmanager", SECRET_ARN, key="k")),
        (
            "${secretsmanager:shop?version_stage=AWSPREVIOUS#k}",
            Reference("secretsmanager", "shop", key="k", version_stage="AWSPREVIOUS"),
        ),
        (f"${{secretsmanager:shop?version_id={VERSION}}}", Reference("secretsmanager", "shop", version_id=VERSION)),
    ],
)
def test_a_reference_to_aws_is_read_and_shown_as_it_is_written(text: str, reference: Reference) -> None:
    assert only(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${ssm:/a#key}", "taken whole"),
        ("${ssm:/a b}", "no such names"),
        ("${ssm:/a:-hunter2}", "no such names"),
        ("${secretsmanager:a?version_id=1}", "version_id=EXAMPLE"),
        ("${ssm:/a?version=3}", "options of ssm are region, role_arn"),
        ("${ssm:/a?region=eu-west-1&region=eu-west-1}", "each once"),
        ("${ssm:/a?region=Ireland}", "region"),
        ("${ssm:/a?role_arn=reader}", "role_arn"),
        ("${secretsmanager:a#}", "joined by dots"),
        ("${secretsmanager:a#b..c}", "joined by dots"),
        ("${secretsmanager:a#b?region=eu-west-1}", "before the key"),
        ("${secretsmanager:a?version_stage=}", "version_stage"),
        ("${secretsmanager:?region=eu-west-1}", "no such names"),
        ("${secretsmanager:}", "name after the colon"),
    ],
)
def test_what_is_no_reference_to_aws_is_said(text: str, said: str) -> None:
    with pytest.raises(ReferenceSyntax, match=said):
        parse_references(text)


def test_a_source_is_the_same_for_every_key_of_a_secret_and_another_for_another_version() -> None:
    access = Access("shop")
    first, second = (source_of(only(f"${{secretsmanager:shop#{key}}}"), access, "us-east-1") for key in ("a", "b"))
    assert first == second == Source("secretsmanager", "shop", "us-east-1", access)
    older = source_of(only("${secretsmanager:shop?version_stage=AWSPREVIOUS#a}"), access, "us-east-1")
    assert older != first


def test_a_source_is_in_the_region_of_the_option_of_the_arn_or_of_the_target() -> None:
    def region(text: str) -> str | None:
        source = source_of(only(text), Access(), "us-east-1")
        return source.region if source else None

    assert region("${ssm:/a?region=eu-north-1}") == "eu-north-1"
    assert region(f"${{secretsmanager:{SECRET_ARN}}}") == "eu-west-1"
    assert region("${ssm:/a}") == "us-east-1"
    assert region("${env:A}") is None


def test_a_reference_with_a_role_is_reached_with_it_from_the_target_s_profile() -> None:
    target = Access("shop", "arn:aws:iam::123456789012:role/deploy")
    own = source_of(only(f"${{ssm:/a?role_arn={ROLE}}}"), target, "us-east-1")
    assert own is not None
    assert own.access == Access("shop", ROLE)
    without = source_of(only("${ssm:/a}"), target, "us-east-1")
    assert without is not None
    assert without.access == target
