"""YAML and JSON documents with the place of every value, composed from parse events within limits.

libyaml's own composer calls itself for each level and crashes the process on 100 KB of ``[``; a document
made of aliases can unfold to billions of values. So events are composed here, with a stack, and counted.
JSON is read as the YAML that it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.config.masking import Span, holds_secret, is_reference_alone
from reconciler.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from reconciler.config.scalars import UnknownTag, is_collection_tag, read_plain, read_tagged
from reconciler.config.source import Source
from reconciler.errors import Diagnostic, Origin

if TYPE_CHECKING:
    import yaml

DEEPEST = 64
MOST_VALUES = 100_000

_MERGE = "<<"
_HINTS = (
    # A part of the parser's message -> what helps. The message itself quotes the input, so it is not shown.
    ("tab character", "indent with spaces: YAML has no tabs there"),
    ("cannot start any token", "quote the value, and indent with spaces, not with tabs"),
    ("mapping values are not allowed", "quote a value that has ': ' in it, and check the indentation"),
    ("could not find expected ':'", "a key is followed by ':' and a space"),
    ("unexpected end of stream", "a quote is not closed"),
    ("expected <block end>", "check the indentation"),
    ("did not find expected key", "check the indentation, and quote values with special characters"),
    ("did not find expected '-' indicator", "check the indentation of the list"),
    ("did not find expected", "check brackets, commas and quotes"),
    ("escape", "in double quotes a backslash is written twice; single quotes take it as it is"),
)


@dataclass(frozen=True, slots=True)
class _Done:
    """A finished value; ``size`` and ``height`` count what its aliases unfold to."""

    node: Node
    size: int
    height: int


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being composed; ``key`` waits for its value."""

    origin: Origin
    anchor: str | None
    mapping: bool
    secret: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Origin] | None = None
    skip: bool = False
    size: int = 1
    height: int = 1

    @property
    def wants_key(self) -> bool:
        """Whether the next scalar is a key."""
        return self.mapping and self.key is None

    @property
    def node(self) -> Node:
        """What was composed."""
        return MappingNode(self.entries, self.origin) if self.mapping else ListNode(tuple(self.items), self.origin)


class _Stop(Exception):
    """The rest of the file can't be understood; the problem is already recorded."""


class _Composer:
    """Turns the events of one file into documents; problems are collected."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[_Done, Span]] = {}
        self._root: Node | None = None

    def documents(self) -> Iterator[Node]:
        """Every document that is not empty.

        Raises:
            _Stop: the problem that ends the file is recorded.
        """
        import yaml

        for event in _events(self.source.text):
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._open(event, mapping=isinstance(event, yaml.MappingStartEvent))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    frame = self._stack.pop()
                    self._put(_Done(frame.node, frame.size, frame.height), event, frame.anchor)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    self._anchors, self._root = {}, None
                case yaml.DocumentEndEvent():
                    if self._root is not None and not _is_empty(self._root):
                        yield self._root
                case _:
                    pass

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        origin = self._origin(event)
        frame = self._stack[-1] if self._stack else None
        if frame and frame.wants_key:
            self._key(frame, event, origin)
            return
        text = str(event.value)
        if self._is_secret() and not is_reference_alone(text):
            self.source.hide(_span(event))
        value: str | int | float | bool | None = text
        try:
            if event.tag is not None:
                value = read_tagged(event.tag, text)
            elif event.implicit[0]:
                value = read_plain(text)
        except UnknownTag:
            self._report("unknown-tag", origin, hint="leave the tag out")
        self._put(_Done(ScalarNode(value, origin), 1, 1), event, event.anchor)

    def _key(self, frame: _Frame, event: yaml.ScalarEvent, origin: Origin) -> None:
        key = str(event.value)
        frame.key = (key, origin)
        frame.skip = False
        if event.implicit[0] and key == _MERGE:
            self._report("merge-key", origin, hint="write 'extends: <file>' to lay a document over another")
            frame.skip = True
        elif key in frame.entries:
            first = frame.entries[key].key
            self._report("duplicate-key", origin, f"It stands in line {first.line} already.")
            frame.skip = True

    def _open(self, event: Any, *, mapping: bool) -> None:
        origin = self._origin(event)
        if self._stack and self._stack[-1].wants_key:
            self._fail("bad-key", origin, hint="a key is a word; a value that begins with '{' or '[' needs quotes")
        if len(self._stack) >= DEEPEST:
            self._fail("too-deep", origin)
        if not is_collection_tag(event.tag, "map" if mapping else "seq"):
            self._report("unknown-tag", origin, hint="leave the tag out")
        self._stack.append(_Frame(origin, event.anchor, mapping, self._is_secret()))

    def _alias(self, event: yaml.AliasEvent) -> None:
        origin = self._origin(event)
        if self._stack and self._stack[-1].wants_key:
            self._fail("bad-key", origin)
        known = self._anchors.get(str(event.anchor))
        if known is None:
            self._fail("bad-alias", origin, hint="quote a value that begins with '*'")
        done, span = known
        if self._is_secret():
            self.source.hide(span)
        if len(self._stack) + done.height > DEEPEST:
            self._fail("too-deep", origin)
        self._put(done, event, None)

    def _put(self, done: _Done, event: Any, anchor: str | None) -> None:
        """Give a finished value to what surrounds it."""
        if anchor is not None:
            start = done.node.origin
            end = event.end_mark
            self._anchors[anchor] = (done, Span(start.line - 1, start.column - 1, end.line, end.column))
        if not self._stack:
            self._root = done.node
            return
        frame = self._stack[-1]
        frame.size += done.size
        frame.height = max(frame.height, done.height + 1)
        if frame.size > MOST_VALUES:
            self._fail("too-many-values", frame.origin)
        if frame.key is None:
            frame.items.append(done.node)
            return
        key, origin = frame.key
        frame.key = None
        if not frame.skip:
            frame.entries[key] = Entry(origin, done.node)

    def _is_secret(self) -> bool:
        """Whether the value that begins here belongs to a secret's key."""
        if not self._stack:
            return False
        frame = self._stack[-1]
        return frame.secret or (frame.key is not None and holds_secret(frame.key[0]))

    def _origin(self, event: Any) -> Origin:
        return Origin(self.source.name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _report(self, code: str, origin: Origin, detail: str = "", *, hint: str = "") -> None:
        self.problems.append(self.source.problem(code, origin, detail, hint=hint))

    def _fail(self, code: str, origin: Origin, *, hint: str = "") -> NoReturn:
        self._report(code, origin, hint=hint)
        raise _Stop


def compose(source: Source) -> tuple[tuple[Node, ...], tuple[Diagnostic, ...]]:
    """The documents of a file that are not empty, and each problem of its syntax.

    When there is a problem the documents are those that could be read; they may lack what it is about.
    """
    import yaml

    composer = _Composer(source)
    documents: list[Node] = []
    try:
        documents.extend(composer.documents())
    except _Stop:
        pass
    except yaml.YAMLError as error:
        composer.problems.append(_syntax_problem(source, error))
    return tuple(documents), tuple(composer.problems)


def _events(text: str) -> Iterator[Any]:
    import yaml

    return iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def _syntax_problem(source: Source, error: Exception) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    message = str(getattr(error, "problem", "") or "")
    if "end of stream" in message:
        # The end of the file is no help: the quote that is open begins where the context says.
        mark = getattr(error, "context_mark", None) or mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    hint = next((hint for part, hint in _HINTS if part in message), "")
    return source.problem("yaml-syntax", Origin(source.name, line, column), hint=hint)


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(start.line, start.column, end.line, end.column)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None
