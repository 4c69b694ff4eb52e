"""Scalars are YAML 1.2's, and every value knows its place."""

import math

import pytest

from reconciler.config.document import compose
from reconciler.config.nodes import ListNode, MappingNode, ScalarNode, at, plain
from reconciler.config.scalars import read_plain, reads_as_text
from reconciler.config.source import Source, decode


def read(text: str) -> object:
    (document,), problems = compose(Source("x", text))
    assert problems == ()
    return plain(document)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ON", "ON"), ("yes", "yes"), ("off", "off"), ("y", "y"), ("true", True), ("True", True), ("TRUE", True),
        ("tRUE", "tRUE"), ("false", False), ("null", None), ("~", None), ("", None), ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"), ("0o17", 15), ("017", 17), ("0x1F", 31), ("1_000", "1_000"), ("+8", 8),
        ("-8", -8), ("8.", 8.0), (".5", 0.5), ("1e3", 1000.0), (".inf", math.inf), ("-.INF", -math.inf),
        ("-", "-"), ("0b1", "0b1"), ("9" * 50, "9" * 50), ("=", "="),
    ],
)  # fmt: skip
def test_a_scalar_without_quotes_is_read_by_the_core_schema(text: str, value: object) -> None:
    read_value = read_plain(text)
    assert read_value == value
    assert type(read_value) is type(value)
    assert reads_as_text(text) == isinstance(value, str)


def test_not_a_number_is_a_float() -> None:
    value = read_plain(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


def test_quotes_make_text() -> None:
    assert read("a: '8'\nb: \"true\"\nc: |\n  null\nd: !!str 1\ne: ! 2\nf: !!float 3") == {
        "a": "8", "b": "true", "c": "null\n", "d": "1", "e": "2", "f": 3,
    }  # fmt: skip


def test_a_number_is_no_boolean_and_a_boolean_is_no_number() -> None:
    for text in ("a: !!int true", "a: !!bool 1", "a: !!null x", "a: !!timestamp 2024-01-01"):
        assert [found.code for found in compose(Source("x", text))[1]] == ["unknown-tag"]


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("1: a\ntrue: b\n~: c\n'<<': d") == {"1": "a", "true": "b", "~": "c", "<<": "d"}


def test_every_value_knows_its_place() -> None:
    (document,), _ = compose(Source("x", "a:\n  - b\n  - {c: d}\n"))
    assert isinstance(document, MappingNode)
    assert str(document.entries["a"].key) == "x:1:1"
    items = document.get("a")
    assert isinstance(items, ListNode)
    assert str(items.origin) == "x:2:3"
    assert str(at(document, ("a", 1, "c")).origin) == "x:3:9"
    assert document.get("z") is None


def test_an_alias_stands_where_its_anchor_stands() -> None:
    (document,), _ = compose(Source("x", "a: &x b\nc: *x\n"))
    assert isinstance(document, MappingNode)
    assert document.get("c") == ScalarNode("b", document.entries["a"].node.origin)


def test_anchors_end_with_their_document() -> None:
    documents, problems = compose(Source("x", "a: &x b\n---\na: *x\n"))
    assert len(documents) == 1
    assert [(found.code, str(found.origin)) for found in problems] == [("bad-alias", "x:3:4")]


def test_what_was_read_before_an_error_is_kept() -> None:
    documents, problems = compose(Source("x", "a: b\n---\nc: [\n"))
    assert len(documents) == 1
    assert [found.code for found in problems] == ["yaml-syntax"]


def test_a_document_may_be_one_word_a_list_or_nothing() -> None:
    assert read("word") == "word"
    assert read("[a, [b]]") == ["a", ["b"]]
    assert compose(Source("x", "")) == ((), ())
    assert compose(Source("x", "---\n...\n---\n~\n")) == ((), ())


def test_line_ends_of_every_kind_count_as_one() -> None:
    source = decode("x", b"a: b\r\nc: [\r\n")
    assert isinstance(source, Source)
    (problem,) = compose(source)[1]
    assert problem.excerpt in {"c: [", ""}


@pytest.mark.parametrize(
    "text", ["a:\n\tb: c", "a: 'b", "a: b: c", "a: [b", "- a\nb: c", 'a: "\\q"', "a: {b", "%YAML 9.9\n---\na"]
)
def test_a_syntax_error_is_answered_in_our_own_words(text: str) -> None:
    (problem,) = compose(Source("x", text))[1]
    assert problem.summary == "The text is not valid YAML or JSON"
    assert problem.origin is not None
    assert text.split("\n")[problem.origin.line - 1 : problem.origin.line] in ([problem.excerpt], [])


def test_nothing_stands_below_a_word() -> None:
    (document,), _ = compose(Source("x", "a: b"))
    with pytest.raises(KeyError):
        at(document, ("a", "b"))
