import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.references import parse_references
from reconciler.render.harmless import (
    fence,
    line,
    markdown,
    markdown_code,
    name,
    prose,
    quoted,
    quoted_pair,
    shown,
    without_commands,
)

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
TEXT = st.text(st.one_of(st.characters(), st.sampled_from('\x1b\u202e\u200b\r\n:#[`|@<&\\"${}')))


def _is_seen(text: str) -> bool:
    return not any(unicodedata.category(character) in UNSEEN for character in text)


@given(TEXT)
def test_one_line_comes_out_as_one_line_that_can_be_seen(text: str) -> None:
    for drawn in (shown(text), line(text), quoted(text), name(text), markdown(shown(text))):
        assert _is_seen(drawn)


@given(TEXT)
def test_no_line_of_a_message_starts_a_workflow_command(text: str) -> None:
    for drawn in (shown(text), *prose(text)):
        assert not drawn.strip().startswith("::")
        assert not re.search(r"##\w*\[", drawn)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_a_quoted_string_says_exactly_what_it_stands_for(text: str) -> None:
    drawn = quoted(text)
    assert (drawn[0], drawn[-1]) == ('"', '"')
    assert parse_references(drawn[1:-1].encode("raw_unicode_escape").decode("unicode_escape")) == text


@given(TEXT, TEXT)
def test_two_strings_that_differ_are_drawn_differently(before: str, after: str) -> None:
    left, right = quoted_pair(before, after)
    assert (left == right) == (before == after)


@pytest.mark.parametrize("place", [0, 10, 450, 2_990, 2_999])
def test_the_cut_of_a_long_value_never_hides_where_it_differs(place: int) -> None:
    before = "a" * 3_000
    after = before[:place] + "B" + before[place + 1 :]
    left, right = quoted_pair(before, after)
    assert "B" in right
    assert "characters)" in left
    assert len(left) < 200


def test_values_that_differ_in_length_alone_show_what_was_added() -> None:
    left, right = quoted_pair("a" * 1_000, "a" * 1_000 + "b")
    assert left == f'(960 characters) "{"a" * 40}"'
    assert right == f'(960 characters) "{"a" * 40}b"'


def test_long_text_is_cut_and_the_rest_is_counted() -> None:
    assert line("x" * 450).endswith("x (50 more characters)")
    assert quoted("x" * 450).endswith('x" (50 more characters)')
    assert prose("\n".join("x" * 50))[-1] == "(10 more lines)"


def test_an_empty_message_has_no_lines() -> None:
    assert prose(" \n ") == ()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a\tb\r\n", r"a\tb\r\n"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("a\u00a0b", r"a\u00a0b"),
        ("\u3164\u2800", r"\u3164\u2800"),
        ("  ::error::x", r"  \u003a:error::x"),
        ("see ##[error] and ##vso[task]", r"see \u0023#[error] and \u0023#vso[task]"),
        ("Your code is {####}", "Your code is {####}"),
        ("Gr\u00fc\u00dfe \u7530 \u00e9", "Gr\u00fc\u00dfe \u7530 \u00e9"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, drawn: str) -> None:
    assert shown(text) == drawn


def test_a_name_that_is_none_is_quoted() -> None:
    assert name("MFAMode") == "MFAMode"
    assert name('a" = 1 #') == '"a\\" = 1 #"'


@pytest.mark.parametrize(
    "text",
    [
        "@team", "a@team", "#12", "GH-12", "org/repo#1", "https://example.com/issues/1", "www.example.com", ":tada:",
        "*b*", "_i_", "~s~", "`c`", "<b>", "&lt;", "[a](b)", "![a](b)", "a|b", "$x$", "\\n", "1234567", "deadbeef0",
    ],
)  # fmt: skip
def test_a_word_that_a_forge_makes_something_of_stands_in_code(text: str) -> None:
    drawn = markdown(f"say {text} twice")
    assert re.fullmatch(r"say <code>[^<>`|@*\[\]~$\\]+</code> twice", drawn)


def test_a_sentence_without_risk_reads_as_it_is() -> None:
    sentence = (
        "UserPoolConfigs.Mfa.MFAMode can't be changed: it's (nearly) done, with --allow mfa-on; read \"this\" - now."
    )
    assert markdown(sentence) == sentence


def test_an_address_in_code_is_no_link() -> None:
    drawn = markdown_code("https://www.example.com/a-b")
    assert "://" not in drawn
    assert "www." not in drawn


@given(TEXT)
def test_a_fence_is_longer_than_any_run_of_backticks_in_it(text: str) -> None:
    assert fence(text) not in text
    assert set(fence(text)) == {"`"}


def test_words_without_commands_stay_as_they_are() -> None:
    assert without_commands("#1 ## {####} [x]") == "#1 ## {####} [x]"


def test_reading_a_long_odd_word_takes_no_time() -> None:
    assert markdown("a-" * 200 + "!@")
