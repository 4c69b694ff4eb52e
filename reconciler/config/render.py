"""Write each target's document as it is once merged: references in place, and where every value comes from."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.desired import Loaded
from reconciler.config.nodes import Entry, MappingNode, ScalarNode, at, plain
from reconciler.config.quoting import in_comment
from reconciler.config.schema import check_key
from reconciler.config.violations import Place
from reconciler.config.writing import Comments, written
from reconciler.core.model import Desired

# What get-backend-auth prints beside the configuration: a document may have it, and nothing reads it.
_MEANS_NOTHING = frozenset({"Error"})


def render_documents(loaded: Loaded, *, origins: bool) -> str:
    """The text of one YAML document for each target, in order, with ``---`` between them.

    Each describes the same target with the same settings as what was loaded, without ``extends`` and ``unmanaged``.
    No secret can be in it: a document that holds one in clear is none of the targets that were loaded.

    Args:
        loaded: documents whose references are not resolved. Those of targets that were left out are not written.
        origins: whether each value's line ends with the file and the line that it comes from.
    """
    return "---\n".join(_documents(loaded, origins=origins))


def _documents(loaded: Loaded, *, origins: bool) -> Iterator[str]:
    for desired in loaded.desired:
        node = _complete(loaded.merged[desired.name], desired)
        yield written(plain(node), _Origins(node) if origins else Comments())


def _complete(node: MappingNode, desired: Desired) -> MappingNode:
    """A document that says its target's name, so that a reader of many knows which is which.

    The default, whose place is the beginning of the document, is left out where no document may hold it: it is too
    long, or not known before its references are resolved.
    """
    entries = {key: entry for key, entry in node.entries.items() if key not in _MEANS_NOTHING}
    if "name" not in entries and not check_key("name", desired.name, desired.origin):
        entries["name"] = Entry(desired.origin, ScalarNode(desired.name, desired.origin))
    return MappingNode(entries, node.origin)


class _Origins(Comments):
    """Tells of every value of a document where it is written."""

    def __init__(self, document: MappingNode) -> None:
        self._document = document

    def beside(self, place: Place) -> str | None:
        """The file and the line."""
        origin = at(self._document, place).origin
        return f"{in_comment(origin.file)}:{origin.line}"
