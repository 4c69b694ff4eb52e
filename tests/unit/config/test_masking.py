"""No excerpt shows a secret, whatever the spelling, and whether or not the file can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.document import compose
from reconciler.config.masking import is_secret_key, masked_lines
from reconciler.config.source import Source, decode
from reconciler.errors import Origin


def masked(text: str) -> list[str]:
    return masked_lines(text.split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "ClientSecret: hunter2",
        "clientsecret: hunter2",
        "client_secret: hunter2",
        "Client-Secret : hunter2",
        '"ClientSecret": "hunter2",',
        "'PrivateKey': 'hunter2'",
        "ClientSecert: hunter2",
        "CientSecret: hunter2",
        "PrivatKey: hunter2",
        "- ClientSecret: hunter2",
        "Google: {ClientId: a, ClientSecret: hunter2}",
        '{"ClientId":"a","ClientSecret":"hunter2"}',
        "# ClientSecret: hunter2",
        "ClientSecret: # why\n  hunter2",
        "ClientSecret:\n  hunter2",
        "ClientSecret:\nhunter2",
        "PrivateKey: |\n  -----BEGIN\n\n  hunter2",
        "  PrivateKey: >-\n    a\n    hunter2",
        'ClientSecret: "a\n\nhunter2',
        'ClientSecret: "a\nb: hunter2"\nc: d',
        "ClientSecret: 'a\n  it''s\nx: hunter2'",
        "{ClientSecret: a\n hunter2}",
        "? ClientSecret\n: hunter2",
        "? ClientSecret\n: |\n  hunter2",
        "ClientSecret: ${env:X} hunter2",
        "ClientSecret: ${env:X:-hunter2}",
        'ClientSecret: "${env:X:-hunter2}"',
        "{A: ${env:X}, ClientSecret: ${env:X}, PrivateKey: hunter2}",
        "ClientSecret: hunter2: x",
        "ClientSecret: a\n  b: hunter2",
        "key: &s hunter2\nClientSecret: *s",
        "ClientSecret: !!str hunter2",
        "ClientSecret: &x hunter2",
    ],
)
def test_what_follows_a_secrets_key_is_hidden(text: str) -> None:
    assert "hunter2" not in "\n".join(masked(text))
    source = Source("x", text)
    compose(source)
    assert not any("hunter2" in str(source.excerpt(Origin("x", line, 1))) for line in range(1, 8))


@pytest.mark.parametrize(
    "text",
    [
        "ClientSecret: ${env:GOOGLE}",
        '"ClientSecret": "${env:GOOGLE}",',
        "Google: {ClientSecret: ${env:GOOGLE}, ClientId: abc}",
        "ClientSecret: ${env:GOOGLE} # from the vault",
        "PasswordPolicy:\n  MinimumLength: 8",
        "KeyId: abc\nClientId: def",
        "",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert "\n".join(masked(text)) == text


def test_the_lines_after_a_secret_are_shown_again() -> None:
    assert masked("ClientSecret: |\n  a\n  b\nClientId: c\n") == [
        "ClientSecret: ****", "****", "****", "ClientId: c", "",
    ]  # fmt: skip
    assert masked('ClientSecret: "a"\n}\nClientId: c')[1:] == ["}", "ClientId: c"]


def test_a_key_that_is_written_with_escapes_is_known_once_the_file_is_read() -> None:
    source = Source("x", '"Client\\x53ecret": hunter2\nb: "Client"\n')
    compose(source)
    assert source.excerpt(Origin("x", 1, 1)) == '"Client\\x53ecret": ****'


def test_a_secret_of_several_lines_is_hidden_where_only_the_reader_can_tell() -> None:
    source = Source("x", '{"Client\\x53ecret": [a,\nhunter2,\n"hunter2\n hunter2"], "b": c}')
    compose(source)
    shown = [source.excerpt(Origin("x", line, 1)) for line in range(1, 5)]
    assert "hunter2" not in str(shown)


def test_characters_that_would_deceive_a_reader_are_not_shown() -> None:
    source = Source("x", "a: \u202ecba\x1b")
    assert source.excerpt(Origin("x", 1, 1)) == "a: \N{REPLACEMENT CHARACTER}cba\N{REPLACEMENT CHARACTER}"


def test_there_is_no_excerpt_of_another_file_or_of_a_place_far_to_the_right() -> None:
    source = Source("x", "a" * 1000)
    assert source.excerpt(Origin("y", 1, 1)) is None
    assert source.excerpt(Origin("x", 2, 1)) is None
    assert source.excerpt(Origin("x", 1, 900)) is None
    assert source.excerpt(Origin("x", 1, 5)) == "a" * 200


def test_the_keys_beside_a_secret_are_no_secrets() -> None:
    assert not any(is_secret_key(key) for key in ("ClientId", "KeyId", "TeamId", "PasswordPolicy", "name", ""))


@given(st.text(alphabet="ClientSecretPrivateKey:{}[]'\"|>#?-*&, \n\\$", max_size=60))
def test_any_text_is_masked_line_by_line(text: str) -> None:
    assert len(masked(text)) == len(text.split("\n"))


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    source = decode("x", data)
    if isinstance(source, Source):
        compose(source)
