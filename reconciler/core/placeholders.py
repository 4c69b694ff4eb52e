"""The words in braces that a text for others may have, such as ``{summary}``."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS = ("summary", "names", "different", "total", "unread")
"""What can be told: a sentence, the names of targets that differ, and how many differ, are there, were not read."""
_BRACES = re.compile(r"\{([^{}]*)\}")


def unknown_words(text: str) -> tuple[str, ...]:
    """What stands in braces and is none of the :data:`WORDS`, in its order."""
    return tuple(word for word in _BRACES.findall(text) if word not in WORDS)


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text with each of its words replaced; what replaces one is not looked at again."""
    return _BRACES.sub(lambda found: words[found[1]], text)
