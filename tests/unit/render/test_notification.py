"""What others are told of drift: nothing that mentions, links or formats, and only what is worth an alarm."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import FailureKind, Movement, Plan, TargetFailure, TargetPlan
from reconciler.render.notification import body_of, notification

Planned = Callable[..., TargetPlan]
HOSTILE = "<!channel> & <@U1> *bold* [link](https://evil.test)"


def drifted(planned: Planned, name: str = "shop-prod", movement: Movement | None = None) -> TargetPlan:
    plan = planned({"PasswordPolicy.MinimumLength": 12}, name=name)
    return replace(plan, changes=tuple(replace(change, movement=movement) for change in plan.changes))


def sent(plan: Plan, form: str, template: str | None = None) -> Any:
    told = notification(plan)
    assert told is not None
    return json.loads(body_of(told, form, template))


def test_in_slack_nothing_mentions_anybody_and_nothing_is_markup(
    planned: Planned, plan_of: Callable[..., Plan]
) -> None:
    for template in (None, "<!here> {names}"):
        body = sent(plan_of(drifted(planned, HOSTILE)), "slack", template)
        assert not set("<>") & set(body["text"])
        assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in body["text"]
        assert (body["mrkdwn"], body["parse"]) == (False, "none")


def test_in_teams_everything_is_a_run_of_text_in_which_no_markdown_is_read(
    planned: Planned, plan_of: Callable[..., Plan]
) -> None:
    (attachment,) = sent(plan_of(drifted(planned, HOSTILE)), "teams")["attachments"]
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    assert "msteams" not in card
    assert {(block["type"], run["type"]) for block in card["body"] for run in block["inlines"]} == {
        ("RichTextBlock", "TextRun")
    }
    assert HOSTILE in card["body"][1]["inlines"][0]["text"]


def test_a_machine_gets_counts_and_targets_without_values(planned: Planned, plan_of: Callable[..., Plan]) -> None:
    target = drifted(planned)
    failed = TargetFailure("blog-prod", target.target, FailureKind.READ, "no answer")
    same = replace(drifted(planned, "same"), changes=())
    assert sent(plan_of(target, failed, same), "json") == {
        "notification_version": "1.0",
        "event": "drift",
        "text": "Drift: 1 of 3 targets differ from the configuration. 1 could not be compared.\n"
        "shop-prod (app d2k7example, environment prod, us-east-1): 1 to change",
        "total": 3,
        "different": 1,
        "unread": 1,
        "targets": [
            {
                "name": "shop-prod",
                "where": "app d2k7example, environment prod, us-east-1",
                "status": "changed",
                "changes": {"change": 1},
            }
        ],
    }


def test_a_template_has_the_words_that_it_names(planned: Planned, plan_of: Callable[..., Plan]) -> None:
    body = sent(plan_of(drifted(planned, "{total}")), "slack", "{different}/{total} ({unread}): {names}\n{summary}")
    assert body["text"] == "1/1 (0): {total}\nDrift: 1 of 1 targets differ from the configuration."


def test_of_many_targets_the_first_are_named(planned: Planned, plan_of: Callable[..., Plan]) -> None:
    text = sent(plan_of(*(drifted(planned, f"shop-{number}") for number in range(50))), "slack")["text"]
    assert (len(text.splitlines()), text.splitlines()[-1]) == (22, "and 30 more")


@pytest.mark.parametrize("movement", [None, Movement.PENDING, Movement.BLOCKED, Movement.DRIFT, Movement.CONFLICT])
def test_what_moved_outside_git_is_told_and_what_git_moved_is_not(
    planned: Planned, plan_of: Callable[..., Plan], movement: Movement | None
) -> None:
    made = replace(plan_of(drifted(planned, movement=movement)), base=None if movement is None else "HEAD~1")
    told = notification(made)
    assert (told is not None) is (movement in {None, Movement.DRIFT, Movement.CONFLICT})


def test_where_nothing_differs_nobody_is_told(planned: Planned, plan_of: Callable[..., Plan]) -> None:
    target = drifted(planned)
    failed = TargetFailure("blog-prod", target.target, FailureKind.READ, "no answer")
    assert notification(plan_of(replace(target, changes=()), failed)) is None
