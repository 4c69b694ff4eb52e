"""The page in a real Chromium: it loads nothing, filters, is searched, and is read on phones, at night, by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.model import FailureKind, Outcome, OutcomeKind, Plan, Target, TargetFailure
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.html import diagnostics_html, outcome_html, plan_html, text_html
from reconciler.render.report import Report, Status, TargetRow, outcome_report, plan_report
from tests.browser.conftest import SIX

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

Open = Callable[..., "Page"]

_CONTRASTS = """() => {
  const channel = (value) => {
    value /= 255;
    return value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  };
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
  };
  const told = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("script, style")) continue;
    const [text, ground] = [numbers(getComputedStyle(element).color), behind(element)].map(light);
    const ratio = (Math.max(text, ground) + .05) / (Math.min(text, ground) + .05);
    told.push([`${element.tagName}.${element.className}: ${node.data.trim().slice(0, 40)}`, ratio]);
  }
  return told;
}"""


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Return a function that opens a page; whatever it complains about, or asks the network for, fails the test."""
    contexts, trouble = [], list[str]()

    def open_(path: Path, *, width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []


def names(page: Page) -> list[str]:
    """The targets that are seen, those below the window's end among them."""
    return page.locator(".target:visible .name").all_text_contents()


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_chips_filter_by_status_and_by_whose_change_it_is(opened: Open, page_of_six: Path) -> None:
    page = opened(page_of_six)
    assert names(page) == list(SIX)
    page.get_by_role("button", name="2 changed").click()
    assert names(page) == ["shop-prod", "shop-staging"]
    assert page.locator("#shown").inner_text() == "2 of 6 shown"
    page.get_by_role("button", name="1 conflict").click()
    assert names(page) == ["shop-prod"]
    page.get_by_role("button", name="2 changed").click()
    page.get_by_role("button", name="1 conflict").click()
    assert names(page) == list(SIX)


def test_the_search_finds_names_attributes_values_and_messages(opened: Open, page_of_six: Path) -> None:
    page = opened(page_of_six)
    for words, found in {
        "PROD": ["shop-prod", "blog-prod", "admin-prod"],
        "prod minimumlength": ["shop-prod"],
        "REQUIRE_SYMBOL": ["shop-staging"],
        "mfa-on": ["admin-prod"],
        "before": [],
        "": list(SIX),
    }.items():
        page.fill("#search", words)
        assert names(page) == found, words


def test_the_page_is_worked_by_keyboard_alone(opened: Open, page_of_six: Path) -> None:
    page = opened(page_of_six)

    def focused() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.textContent"))

    page.keyboard.press("Tab")
    assert focused() == "Skip to the targets"
    assert page.locator(".skip").bounding_box() is not None
    page.keyboard.press("Tab")
    assert focused() == "2 changed"
    page.keyboard.press("Space")
    assert names(page) == ["shop-prod", "shop-staging"]
    page.keyboard.press("Space")
    page.keyboard.press("/")
    assert focused() == "search"
    page.keyboard.type("staging/")
    assert page.input_value("#search") == "staging/"
    page.keyboard.press("Escape")
    assert names(page) == list(SIX)
    page.keyboard.press("Tab")
    assert focused() == "all"
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 0
    page.keyboard.press("Tab")
    assert focused().startswith("shop-prod")
    page.keyboard.press("Enter")
    assert page.locator("details[open] .name").all_text_contents() == ["shop-prod"]
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert focused() == "targets"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_by_day_and_by_night(opened: Open, page_of_six: Path, scheme: str) -> None:
    page = opened(page_of_six, color_scheme=scheme)
    page.get_by_role("button", name="2 changed").click()
    page.get_by_role("button", name="2 changed").click()
    contrasts = page.evaluate(_CONTRASTS)
    assert {kind for text, _ in contrasts for kind in re.findall(r"(?:CODE|MARK|SPAN|BUTTON|P)\b", text)} >= {
        "CODE",
        "MARK",
        "SPAN",
        "BUTTON",
        "P",
    }
    assert [(text, round(ratio, 2)) for text, ratio in contrasts if ratio < 4.5] == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")


def test_a_phone_shows_the_whole_page_and_one_side_above_the_other(opened: Open, page_of_six: Path) -> None:
    page = opened(page_of_six, width=360)
    assert overflow(page) == 0
    left, right = (page.locator(f".diff {side}").first.bounding_box() for side in (".left", ".right"))
    assert left and right  # noqa: PT018 - both are seen
    assert left["x"] == right["x"]
    assert left["y"] < right["y"]


def test_a_screen_shows_both_sides_beside_each_other(opened: Open, page_of_six: Path) -> None:
    page = opened(page_of_six)
    assert overflow(page) == 0
    left, right = (page.locator(f".diff {side}").first.bounding_box() for side in (".left", ".right"))
    assert left and right  # noqa: PT018 - both are seen
    assert left["x"] < right["x"]
    assert left["y"] == right["y"]
    columns = page.locator(".head .where").evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().x)")
    assert len(columns) == len(SIX)
    assert len(set(columns)) == 1


def test_without_javascript_all_can_be_read(opened: Open, page_of_six: Path) -> None:
    page = opened(page_of_six, java_script_enabled=False)
    assert page.locator(".target .name").all_text_contents() == list(SIX)
    assert page.get_by_role("button", name="2 changed").is_disabled()
    assert page.locator("#search").is_hidden()
    page.get_by_text("shop-prod", exact=True).click()
    assert page.locator("details[open]").count() == 4


def test_hostile_text_stays_text_in_every_page(opened: Open, tmp_path: Path) -> None:
    text = "\"'><img src=x onerror=alert(1)></script></style><script>alert(1)</script>" + "w" * 200
    target = Target(text, text, text, "us-east-1")
    failure = TargetFailure(text, target, FailureKind.READ, text, text, text)
    outcome = Outcome(text, target, OutcomeKind.FAILED, text, text, text, text)
    diagnostic = Diagnostic(Severity.ERROR, text, text, text, text, Origin(text, 1, 2), text)
    pages = {
        "plan": plan_html(plan_report(Plan((failure,), ""))),
        "outcome": outcome_html(outcome_report((outcome,))),
        "diagnostics": diagnostics_html((diagnostic,)),
        "text": text_html(text, text),
    }
    for name, content in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(content, encoding="utf-8")
        page = opened(path, width=360)
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert text in page.inner_text("main")
        assert overflow(page) == 0, name


def test_the_policy_lets_no_other_script_or_style_in(browser: Browser, page_of_six: Path, tmp_path: Path) -> None:
    path = tmp_path / "tampered.html"
    evil = (
        "<script>document.title = 'owned'</script><style>body { display: none }</style><img src='https://a.example/'>"
    )
    path.write_text(page_of_six.read_text("utf-8").replace("</main>", f"{evil}</main>"), encoding="utf-8")
    page = browser.new_page()
    refused: list[tuple[str, str | None]] = []
    page.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
    page.goto(path.as_uri())
    assert page.title() != "owned"
    assert page.locator("h1").is_visible()
    assert refused == [("https://a.example/", "csp")]
    page.close()


def test_a_thousand_targets_are_searched_at_once(opened: Open, tmp_path: Path) -> None:
    rows = tuple(
        TargetRow(f"shop-{number}", "app d2k7example, environment prod, us-east-1", Status.UNCHANGED)
        for number in range(1000)
    )
    path = tmp_path / "many.html"
    path.write_text(plan_html(Report("plan", rows, applicable=False)), encoding="utf-8")
    page = opened(path)
    page.fill("#search", "shop-77")
    assert page.locator("#shown").inner_text() == "11 of 1000 shown"
    assert len(names(page)) == 11
