"""What others are told of drift: a body for Slack, for Teams, or for any machine, from the masked report alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.model import Plan
from reconciler.core.placeholders import filled
from reconciler.render.messages import first_of
from reconciler.render.report import DIFFERENT, Status, TargetRow, plan_report
from reconciler.render.wording import changes_of

NOTIFICATION_FORMAT_VERSION = "1.0"
_MOST_LINES = 20
"""Targets that are named in a message for people."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What there is to tell: the targets with drift, how many targets there are, and how many were not read."""

    targets: tuple[TargetRow, ...]
    total: int
    unread: int

    @property
    def summary(self) -> str:
        """One sentence."""
        unread = f" {self.unread} could not be compared." if self.unread else ""
        return f"Drift: {len(self.targets)} of {self.total} targets differ from the configuration.{unread}"

    @property
    def words(self) -> Mapping[str, str]:
        """What stands for each word of a template."""
        return {
            "summary": self.summary,
            "names": first_of([target.name for target in self.targets]),
            "different": str(len(self.targets)),
            "total": str(self.total),
            "unread": str(self.unread),
        }

    def lines(self, template: str | None) -> tuple[str, ...]:
        """What people read: the template's text, or a sentence and a line for each target."""
        if template is not None:
            return tuple(filled(template, self.words).splitlines())
        named = [f"{target.name} ({target.where}): {changes_of(target)}" for target in self.targets[:_MOST_LINES]]
        more = len(self.targets) - len(named)
        return (self.summary, *named, *([f"and {more} more"] if more else ()))


def notification(plan: Plan) -> Notification | None:
    """What to tell of a plan; None where there is nothing to alarm anybody about."""
    rows = plan_report(plan, headline="drift").targets
    alarming = tuple(row for row in rows if row.status in DIFFERENT)
    unread = sum(row.status in {Status.FAILED, Status.UNREAD} for row in rows)
    return Notification(alarming, len(rows), unread) if alarming else None


def body_of(told: Notification, form: str, template: str | None) -> str:
    """The JSON that a webhook takes.

    Args:
        told: what to tell.
        form: ``slack``, ``teams`` or ``json``.
        template: the text for people, in place of the usual one.
    """
    match form:
        case "slack":
            body = _slack(told.lines(template))
        case "teams":
            body = _teams(told.lines(template))
        case _:
            body = _plain(told, template)
    return json.dumps(body)


def _slack(lines: tuple[str, ...]) -> dict[str, Any]:
    """Text without markup: in Slack whatever mentions, links or formats begins with ``<``, or is markup."""
    text = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text, "mrkdwn": False, "parse": "none", "link_names": 0, "unfurl_links": False}


def _teams(lines: tuple[str, ...]) -> dict[str, Any]:
    """An adaptive card of text runs, in which Teams reads no markdown; nobody is mentioned without an entity."""
    blocks = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _plain(told: Notification, template: str | None) -> dict[str, Any]:
    return {
        "notification_version": NOTIFICATION_FORMAT_VERSION,
        "event": "drift",
        "text": "\n".join(told.lines(template)),
        "total": told.total,
        "different": len(told.targets),
        "unread": told.unread,
        "targets": [
            {
                "name": target.name,
                "where": target.where,
                "status": target.status.value,
                "changes": {action.value: count for action, count in target.counts},
            }
            for target in told.targets
        ],
    }
