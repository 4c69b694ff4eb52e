"""A page is well-formed whatever stands in it, lets itself load nothing, and grows with its fleet and no faster."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import (
    FailureKind,
    Finding,
    Movement,
    Outcome,
    OutcomeKind,
    Plan,
    Target,
    TargetFailure,
    TargetPlan,
)
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.html import diagnostics_html, outcome_html, plan_html, text_html
from reconciler.render.report import Headline, outcome_report, plan_report

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1")
LONGER = {"PasswordPolicy.MinimumLength": 12}
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("<>&\"'/=-! \n")))
VOID = {"meta", "input", "br", "wbr"}
ATTRIBUTES = (
    {"lang", "charset", "http-equiv", "content", "name", "class", "href", "id", "role", "type", "disabled", "hidden"}
    | {"aria-label", "aria-labelledby", "aria-pressed", "aria-keyshortcuts", "for", "autocomplete", "spellcheck"}
    | {"data-kind", "data-word", "data-status", "data-movement", "placeholder", "tabindex", "open", "scope"}
)
"""All that a page may have: none of them loads, runs or styles anything."""

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]


class Parsed(HTMLParser):
    """A page as a browser takes it apart: elements, the attributes that they have, and the text in each kind."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self.policy = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = str(dict(attrs)["content"])
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data


def pages(text: str, plan: TargetPlan) -> dict[str, str]:
    """Every kind of page, with one text wherever a text can stand."""
    finding = Finding(text, text, text, text, Origin(text, 1, 1))
    worst = replace(plan, blocks=(finding,), guards=(finding,), warnings=(finding,), notes=(finding,))
    failure = TargetFailure(text, replace(TARGET, app=text), FailureKind.READ, text, text, text)
    outcome = Outcome(text, TARGET, OutcomeKind.FAILED, text, text, text, text, findings=(finding,), collateral=plan)
    diagnostic = Diagnostic(Severity.ERROR, text, text, text, text, Origin(text, 1, 2), text)
    return {
        "plan": plan_html(plan_report(Plan((worst, failure), "", base=text))),
        "outcome": outcome_html(outcome_report((outcome,))),
        "diagnostics": diagnostics_html((diagnostic,)),
        "text": text_html(text, text),
    }


@given(text=TEXT)
def test_no_text_becomes_markup(text: str, planned: Planned) -> None:
    settings = {"Mfa.MFAMode": "ON", "Mfa.Settings.MfaTypes": ["SMS"], "Mfa.Settings.SmsMessage": text}
    for name, content in pages(text, planned(settings, name=text)).items():
        page = Parsed(content)
        assert page.elements["script"] == page.elements["style"] == page.elements["h1"] == 1, name
        assert page.attributes <= ATTRIBUTES
        assert page.elements.keys().isdisjoint({"img", "iframe", "link", "object", "form", "base"})


@pytest.mark.parametrize("kind", ["plan", "outcome", "diagnostics", "text"])
def test_the_policy_allows_the_style_and_the_script_that_stand_there_and_nothing_else(
    kind: str, planned: Planned
) -> None:
    page = Parsed(pages("shop", planned(LONGER))[kind])
    hashes = {
        tag: b64encode(sha256("".join(page.texts[tag]).encode()).digest()).decode() for tag in ("style", "script")
    }
    assert page.policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_what_is_in_the_way_has_its_file_and_line(planned: Planned) -> None:
    finding = Finding("code", "summary", origin=Origin("auth/shop.yaml", 7, 5))
    plan = planned(LONGER)
    for told in (
        replace(plan, blocks=(finding,)),
        replace(plan, guards=(finding,)),
        replace(plan, warnings=(finding,)),
        replace(plan, notes=(finding,)),
    ):
        page = Parsed(plan_html(plan_report(Plan((told,), ""))))
        assert "auth/shop.yaml:7:5" in page.texts["code"]


@pytest.mark.parametrize("headline", ["plan", "drift"])
def test_who_moved_what_since_the_base_is_told(headline: Headline, planned: Planned) -> None:
    target = planned(LONGER | {"OAuth.OAuthScopes": ["OPENID", "EMAIL"]})
    whose = dict(zip(target.changes, (Movement.DRIFT, Movement.CONFLICT), strict=True))
    moved = replace(target, changes=tuple(replace(change, movement=word) for change, word in whose.items()))
    page = Parsed(plan_html(plan_report(Plan((moved,), "2031-05-04T03:02:01Z", base="origin/main"), headline=headline)))
    assert [text for text in page.texts["p"] if text.startswith("Since ")] == [
        "Since origin/main: 1 drift, 1 conflict."
    ]
    badges = Counter(page.texts["span"])
    assert badges["drift"] == badges["conflict"] == len(("the legend", "the row"))
    assert page.attributes >= {"data-movement"}


def test_nothing_is_said_of_movements_without_a_base(planned: Planned, plan_of: PlanOf) -> None:
    page = Parsed(plan_html(plan_report(plan_of(planned(LONGER)))))
    assert "data-movement" not in page.attributes
    assert page.elements["dl"] == 0


def test_a_thousand_unchanged_targets_are_a_row_each_and_the_page_grows_evenly(
    planned: Planned, plan_of: PlanOf
) -> None:
    def page(count: int, settings: dict[str, int]) -> str:
        return plan_html(plan_report(plan_of(*(planned(settings, name=f"shop-{n:04}") for n in range(count)))))

    for settings, most in (({}, 400), (LONGER, 1_500)):
        sizes = [len(page(count, settings)) for count in (500, 1000, 1500)]
        assert abs((sizes[2] - sizes[1]) - (sizes[1] - sizes[0])) < 50
        assert (sizes[1] - sizes[0]) / 500 < most
    parsed = Parsed(page(1000, {}))
    assert (parsed.elements["h3"], parsed.elements["details"]) == (1000, 0)


def test_many_changed_targets_are_folded_and_a_few_are_not(planned: Planned, plan_of: PlanOf) -> None:
    for count, unfolded in ((10, 10), (11, 0)):
        page = plan_html(plan_report(plan_of(*(planned(LONGER, name=f"shop-{n}") for n in range(count)))))
        assert len(re.findall("<details open>", page)) == unfolded
        assert page.count("<details") == count
