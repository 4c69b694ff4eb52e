"""A transcript becomes a few lines that say why, without noise and without secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.transcript import cleaned, reason

NOISY = (
    "\x1b[32m✔\x1b[0m Successfully pulled backend environment prod from the cloud.\r\n"
    "⠋ Updating resources in the cloud. This may take a few minutes...\r⠙ Updating\n"
    "┌──────┬───────┐\n│ Auth │ shop  │\n└──────┴───────┘\n"
    "UPDATE_FAILED authshop AWS::CloudFormation::Stack Mon Nov 23\n"
    "Reason: Invalid callback URL\n"
    "    at /home/runner/amplify.js:12\n"
)


def test_the_lines_that_tell_come_first_and_alone() -> None:
    assert reason(NOISY) == (
        "UPDATE_FAILED authshop AWS::CloudFormation::Stack Mon Nov 23\nReason: Invalid callback URL"
    )


def test_without_a_telling_line_the_last_ones_are_shown() -> None:
    assert reason("one\ntwo\nthree\nfour\n") == "two\nthree\nfour"
    assert reason("") == ""


def test_a_long_line_is_cut() -> None:
    assert len(reason("Error: " + "word " * 500)) == 304


@pytest.mark.parametrize(
    "text",
    [
        'client_secret: "canary-value-1"',
        "clientSecret=canary-value-1",
        '"googleClientSecret":"canary-value-1"',
        "password is canary-value-1",
        "client_secret => canary-value-1",
        "amplify --client-secret canary-value-1",
        'client_secret: "abc\\"canary-value-1"',
        "https://user:canary-value-1@example.com/",
        r'"creds": "[{\"client_secret\":\"canary, value; 1\"}]"',
        r'"creds": "{\\"client_secret\\":\\"canary-value-1\\"}"',
        "GOCSPX-canary-value-1",
        "-----BEGIN PRIVATE KEY-----\ncanary-value-1\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ncanary-value-1",
        "Authorization: Bearer canary-value-1",
        "AKIACANARYCANARYCANA",
        "eyJcanary.canary-value-1.x",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "canary" not in cleaned(f"Error: {text} and more").lower()


def test_what_is_as_long_as_a_secret_of_a_provider_is_masked() -> None:
    of_facebook, of_amazon = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "amzn1.oa2-cs.v1." + "5d" * 32
    shown = cleaned(f"Error: rejected {of_facebook} and {of_amazon} in stack 3fa85f64-5717-4562-b3fc-2c963f66afa6")
    assert of_facebook not in shown
    assert "5d5d" not in shown
    assert "3fa85f64-5717-4562-b3fc-2c963f66afa6" in shown, "an id is what people look for"


@given(secret=st.text(min_size=4), before=st.text(), after=st.text())
def test_a_known_secret_is_masked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    assert secret not in cleaned(before + secret + after, [secret]).replace("****", "\0") or secret in "****"


@given(st.text())
def test_nothing_is_left_that_could_move_the_cursor_or_the_reading_order(text: str) -> None:
    left = cleaned(text)
    assert not any(ord(character) < 32 and character not in "\n\t" for character in left)
    assert not any(character in "\x7f\u202e\u2066\u200b" for character in left)


@pytest.mark.parametrize(
    "said",
    [
        "value plain\x1b[1msecret99 is bad",
        "value plain\u200bsecret99 is bad",
        "value plain\u2502secret99 is bad",
        "value plain\nsecret99 is bad",
    ],
)
def test_a_known_secret_that_noise_cuts_in_two_is_masked(said: str) -> None:
    assert "secret99" not in cleaned(said, ["plainsecret99"])


def test_a_secret_of_several_lines_is_masked_line_by_line_and_however_it_is_escaped() -> None:
    secret = 'first-line-canary\nsecond "line" canary'
    for said in ('it was second "line" canary', 'json: second \\"line\\" canary', "url: first-line-canary%0Asecond"):
        assert "canary" not in cleaned(said, [secret])
