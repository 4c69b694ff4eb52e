import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import FailureKind, Finding, Outcome, OutcomeKind, Plan, Target, TargetFailure, TargetPlan
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.markdown import LONGEST, diagnostics_markdown, outcome_markdown, plan_markdown
from reconciler.render.report import outcome_report, plan_report

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1")
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("`|@<&\n\r\\#*_")))
TAGS = {"code", "/code", "br", "details", "/details", "summary", "/summary"}

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]


def _outside_fences(page: str) -> list[str]:
    """Split a page the way CommonMark does, and return the lines that stand in no fence; none is left open."""
    outside: list[str] = []
    border = ""
    for line in page.split("\n"):
        run = re.match("`{3,}", line)
        if border:
            border = "" if line.startswith(border) and not line.strip("`") else border
        elif run:
            border = run[0]
        else:
            outside.append(line)
    assert not border
    return outside


def _check(page: str) -> None:
    assert len(page.encode("utf-16-le", "surrogatepass")) // 2 < 65_536
    columns = 0
    for line in _outside_fences(page):
        assert set(re.findall(r"<([^>]*)>", line)) <= TAGS
        assert line.count("<code>") == line.count("</code>")
        assert not re.search(r"[@`~\[\]\\$_]", line)
        if line.startswith("|"):
            columns = columns or line.count("|")
            assert line.count("|") == columns


@given(text=TEXT)
def test_nothing_breaks_out_of_its_cell_or_fence(text: str, planned: Planned, plan_of: PlanOf) -> None:
    finding = Finding(text, text, text, text, Origin(text, 1, 1))
    plan = planned({"Mfa.MFAMode": "ON", "Mfa.Settings.MfaTypes": ["SMS"], "Mfa.Settings.SmsMessage": text}, name=text)
    plan = replace(plan, blocks=(finding,), warnings=(finding,))
    failure = TargetFailure(text, TARGET, FailureKind.READ, text, text, text)
    outcome = Outcome(text, replace(TARGET, app=text), OutcomeKind.FAILED, text, text, text, text, findings=(finding,))
    diagnostic = Diagnostic(Severity.ERROR, text, text, text, text, Origin(text, 1, 2), text)
    _check(plan_markdown(plan_report(plan_of(plan, failure))))
    _check(outcome_markdown(outcome_report((outcome,))))
    _check(diagnostics_markdown((diagnostic,)))


@pytest.mark.parametrize("message", ["Code {####}", "\U0001f511" * 60 + "{####}"], ids=["plain", "emoji"])
def test_a_fleet_is_cut_and_what_was_cut_is_counted(message: str, planned: Planned, plan_of: PlanOf) -> None:
    one = planned({"PasswordPolicy.MinimumLength": 9, "VerificationMessage.EmailSettings.EmailMessage": message})
    targets = [replace(one, desired=replace(one.desired, name=f"shop-{number}")) for number in range(1_000)]
    page = plan_markdown(plan_report(plan_of(*targets)))
    _check(page)
    assert len(page) > LONGEST * 0.7
    assert re.search(r"\d+ more targets are not in the table\.", page)
    assert re.search(r"\*\*\d+ more sections are left out here \(\d+ characters\)", page)


def test_a_page_that_is_cut_still_tells_the_digest_of_the_whole_plan(planned: Planned, plan_of: PlanOf) -> None:
    one = planned({"PasswordPolicy.MinimumLength": 9})
    targets = [replace(one, desired=replace(one.desired, name=f"shop-{number}")) for number in range(1_000)]
    page = plan_markdown(replace(plan_report(plan_of(*targets)), digest="sha256:0f1e"))
    _check(page)
    assert page.count("Plan digest <code>sha256&#58;0f1e</code>") == 1


def test_a_large_diff_leaves_room_for_the_others(planned: Planned, plan_of: PlanOf) -> None:
    uris = [f"https://shop.example.com/{'`' * 300}/{number}" for number in range(200)]
    large, small = planned({"OAuth.RedirectSignInURIs": uris}), planned({"PasswordPolicy.MinimumLength": 9}, name="b")
    page = plan_markdown(plan_report(plan_of(large, small)))
    _check(page)
    assert re.search(r"^# \(\d+ more lines\)$", page, re.MULTILINE)
    assert "MinimumLength = 8 -> 9" in page


def test_many_messages_are_cut(planned: Planned, plan_of: PlanOf) -> None:
    warning = Finding("code", "@" * 400, "\n".join(["@" * 400] * 40))
    page = plan_markdown(plan_report(plan_of(replace(planned({}), warnings=(warning, warning)))))
    _check(page)
    assert "- 2 more" in page


def test_one_section_too_many_is_said_in_the_singular() -> None:
    long = Diagnostic(Severity.ERROR, "code", "summary", "\n".join(["@" * 400] * 40))
    page = diagnostics_markdown((long,))
    _check(page)
    assert "**1 more section is left out here (" in page


def test_one_target_too_many_for_the_table_is_said_in_the_singular(plan_of: PlanOf) -> None:
    failure = TargetFailure("@" * 400, replace(TARGET, app="@" * 2_000), FailureKind.READ, "it failed")
    page = plan_markdown(plan_report(plan_of(*[failure] * 4)))
    assert "1 more target is not in the table." in page


def test_unchanged_targets_are_counted(planned: Planned, plan_of: PlanOf) -> None:
    page = plan_markdown(plan_report(plan_of(planned({}), planned({}, name="shop-test"))))
    assert (
        page
        == "### No changes. Your infrastructure matches the configuration.\n\n2 targets: 2 planned (2 unchanged).\n"
    )


def test_an_apply_with_nothing_to_do_has_no_table() -> None:
    page = outcome_markdown(outcome_report((Outcome("shop-prod", TARGET, OutcomeKind.UNCHANGED),)))
    assert "|" not in page
    assert "No changes. Your infrastructure matches the configuration." in page


def test_an_applied_target_needs_no_section_of_its_own() -> None:
    page = outcome_markdown(outcome_report((Outcome("shop-prod", TARGET, OutcomeKind.APPLIED, job="j1"),)))
    assert page.count("shop-prod") == 1
