"""The webhooks that the project file names, and what may be wrong with one besides its shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.config.source import Source
from reconciler.config.written import Written, written_at, wrong_secret
from reconciler.core.placeholders import WORDS, unknown_words
from reconciler.errors import Diagnostic

WEBHOOK_HINT = "write a reference and nothing else, such as ${env:SLACK_WEBHOOK}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody to tell of drift: in which form, where, with which secret it is signed, in which words."""

    form: str
    url: Written
    secret: Written | None = None
    template: str | None = None


def webhooks(node: Node | None) -> Iterator[Webhook]:
    """The webhooks of a sound list."""
    for item in node.items if isinstance(node, ListNode) else ():
        if isinstance(item, MappingNode) and (url := written_at(item.get("url"))) is not None:
            form, template = (_text(item.get(key)) for key in ("format", "template"))
            yield Webhook(str(form), url, written_at(item.get("secret")), template)


def problems_of_hosts(source: Source, top: MappingNode) -> Iterator[Diagnostic]:
    """Webhooks without a word about where they may be."""
    if "notify" in top.entries and "notify_hosts" not in top.entries:
        hint = "write the hosts that may be told, such as notify_hosts: [hooks.slack.com]"
        yield source.problem("missing-key", top.entries["notify"].key, "notify_hosts", hint=hint)


def problems_of_webhook(source: Source, key: str, node: ScalarNode, text: str) -> Iterator[Diagnostic]:
    """What is wrong with a text of a webhook."""
    match key:
        case "url" | "secret":
            if wrong := wrong_secret(text):
                yield source.problem(wrong, node.origin, key, hint=WEBHOOK_HINT)
        case "template":
            if unknown := unknown_words(text):
                hint = f"in braces may stand {', '.join(WORDS)}"
                yield source.problem("not-allowed-value", node.origin, f"{{{unknown[0]}}} in template", hint=hint)


def _text(node: Node | None) -> str | None:
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None
