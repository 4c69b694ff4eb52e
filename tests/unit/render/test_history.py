"""The ledger as it is shown: what others wrote into it moves no cursor, closes no fence and starts no command."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Commit, Finding, Live, Outcome, OutcomeKind, TargetPlan
from reconciler.ledger.record import Entry, Intent, Pipeline, Record, Run, Who
from reconciler.render.history import (
    history_json,
    history_markdown,
    history_text,
    nothing_text,
    runs_json,
    runs_markdown,
    runs_text,
)

Planned = Callable[..., TargetPlan]

RUN = Run(
    "20261124T080000Z-1a2b3c4d",
    "apply",
    "2026-11-24T08:00:00Z",
    Who("ann", "laptop"),
    "sha256:5e1f",
    Commit("0123456789abcdef0123456789abcdef01234567", dirty=False),
)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnitseretni",
    "\u2066hidden\u2069\u200b",
    "``````\n# heading\n",
    "\n::set-output name=code::0",
    "::error file=auth.yaml::",
    "##[error]here",
    "##vso[task.setvariable variable=x]y",
    "<script>alert(1)</script>",
    "a\r\nb\u2028c\x85d",
    "\udc80",
)
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\u202e\u200b\r\n:#[`|@<&\\")))


def record(plan: TargetPlan, run: Run = RUN, *, sent: bool = True) -> Record:
    """A record of an apply that did what was planned."""
    outcome = Outcome(plan.name, plan.target, OutcomeKind.APPLIED, job="job-1", changes=plan.changes)
    return Record(run, plan, outcome, "2026-11-24T08:01:30Z", 90.04, sent=sent, jobs=("job-1",))


def hostile(plan: TargetPlan, text: str) -> Record:
    """A record in which everything that is text is this one."""
    run = Run(text, text, text, Who(text, text, Pipeline(text, text, text)), text, Commit(text, dirty=True), text)
    named = replace(plan, desired=replace(plan.desired, name=text))
    finding = Finding(text, text, text, text, plan.desired.origin)
    outcome = Outcome(text, plan.target, OutcomeKind.UNVERIFIED, text, text, text, job=text, findings=(finding,))
    return Record(run, named, outcome, text, 1.0, sent=True, jobs=(text,), unseen=(text,), caller=text, resumes=text)


def intent(plan: TargetPlan, run: Run = RUN) -> Intent:
    """An update that nobody has seen the end of."""
    return Intent(run, plan, Live(plan.live, plan.fingerprint), frozenset({"job-0"}))


def check_lines(text: str) -> None:
    """Every line can be seen whole, and starts nothing."""
    for line in text.split("\n"):
        assert not any(unicodedata.category(character) in UNSEEN for character in line), line
        assert not line.strip().startswith("::"), line
        assert not re.search(r"##\w*\[", line), line


def check_fence(page: str, inside: str) -> None:
    """The page is one fenced block that nothing within it closes."""
    lines = page.split("\n")
    fence = re.fullmatch("`{3,}", lines[0])
    assert fence is not None
    assert lines[-2:] == [fence[0], ""]
    assert "\n".join(lines[1:-2]) + "\n" == inside
    assert not any(re.fullmatch(rf" {{0,3}}{fence[0]}`*\s*", line) for line in lines[1:-2])


def check(told: Record, entries: list[Entry]) -> None:
    check_lines(history_text(entries))
    check_lines(runs_text([told], colour=False))
    check_fence(history_markdown(entries), history_text(entries))
    check_fence(runs_markdown([told]), runs_text([told], colour=False))
    for page in (history_json(entries), runs_json([told])):
        check_lines(page)
        assert page.count("\n") == 1


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_in_the_ledger_is_harmless_in_every_format(planned: Planned, text: str) -> None:
    told = hostile(planned({"VerificationMessage.EmailSettings.EmailSubject": text}), text)
    check(told, [Entry(told), Entry(intent(told.plan, told.run))])


@given(text=TEXT)
def test_no_text_in_the_ledger_breaks_out(planned: Planned, text: str) -> None:
    told = hostile(planned({"VerificationMessage.EmailSettings.EmailSubject": text}), text)
    check(told, [Entry(told)])


def test_an_entry_is_one_line_whatever_its_cells_hold(planned: Planned) -> None:
    entries = [Entry(hostile(planned({}), text)) for text in HOSTILE]
    assert len(history_text(entries).splitlines()) == len(entries) + 1


def test_columns_are_as_wide_as_their_widest_cell(planned: Planned) -> None:
    long = replace(RUN, who=Who("a-user-with-a-long-name", "runner"), commit=None)
    change = planned({"PasswordPolicy.MinimumLength": 12})
    text = history_text([Entry(record(change)), Entry(record(planned({}, name="shop-production-eu"), long))])
    assert text.splitlines() == [
        "RUN                        TARGET              OUTCOME  CHANGES  WHO                             COMMIT",
        "20261124T080000Z-1a2b3c4d  shop-prod           applied  1        ann@laptop                      01234567",
        "20261124T080000Z-1a2b3c4d  shop-production-eu  applied  0        a-user-with-a-long-name@runner  -",
    ]


def test_a_dirty_commit_and_an_update_under_way_are_told(planned: Planned) -> None:
    dirty = replace(RUN, commit=Commit("f" * 40, dirty=True))
    text = history_text([Entry(intent(planned({"PasswordPolicy.MinimumLength": 12}), dirty))])
    cells = re.split("  +", text.splitlines()[1])
    assert cells == ["20261124T080000Z-1a2b3c4d", "shop-prod", "under way", "1", "ann@laptop", "ffffffff (dirty)"]


def test_a_run_tells_who_from_what_which_changes_and_what_became_of_it(planned: Planned) -> None:
    told = replace(
        record(planned({"PasswordPolicy.MinimumLength": 12}), replace(RUN, commit=Commit("f" * 40, dirty=True))),
        caller="arn:aws:iam::123456789012:user/ann",
        resumes="20261124T070000Z-00000000",
    )
    text = runs_text([told], colour=False)
    assert text.startswith(
        "Run 20261124T080000Z-1a2b3c4d: apply, started 2026-11-24T08:00:00Z by ann@laptop\n"
        "  as arn:aws:iam::123456789012:user/ann\n"
        f"  from commit {'f' * 40}, and a document differed from it\n"
        "  settled the update of run 20261124T070000Z-00000000\n"
        "  plan sha256:5e1f\n\n"
    )
    assert "\n              ~ MinimumLength = 8 -> 12\n" in text
    assert "\n\nshop-prod: applied, 1 change [job job-1]\n  ended 2026-11-24T08:01:30Z, 90.0s\n\n" in text
    assert text.endswith("To go back: reconciler restore 20261124T080000Z-1a2b3c4d\n")


def test_a_run_that_sent_nothing_leads_nowhere_back(planned: Planned) -> None:
    text = runs_text([record(planned({"PasswordPolicy.MinimumLength": 12}), sent=False)], colour=False)
    assert "ended 2026-11-24T08:01:30Z, 90.0s; nothing was sent\n" in text
    assert "restore" not in text


def test_a_run_of_several_targets_is_told_once_with_each_target(planned: Planned) -> None:
    records = [record(planned({"PasswordPolicy.MinimumLength": 12}, name=name)) for name in ("shop-eu", "shop-us")]
    text = runs_text(records, colour=False)
    assert text.count("Run 20261124T080000Z-1a2b3c4d: ") == 1
    assert text.index("shop-eu: applied") < text.index("shop-us: applied")
    assert text.count("reconciler restore") == 1


def test_colours_change_nothing_but_colours(planned: Planned) -> None:
    told = [record(planned({"PasswordPolicy.MinimumLength": 12}))]
    coloured = runs_text(told, colour=True)
    assert "\x1b[33m~\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == runs_text(told, colour=False)


def test_machines_get_each_record_whole_and_a_version(planned: Planned) -> None:
    told = record(planned({"PasswordPolicy.MinimumLength": 12}))
    body = json.loads(history_json([Entry(intent(told.plan)), Entry(told)]))
    assert body["format_version"] == "1.0"
    assert [entry.get("open") for entry in body["records"]] == [True, None]
    assert body["records"][1] == json.loads(runs_json([told]))["records"][0]
    assert body["records"][1]["outcome"]["kind"] == "applied"
    assert "outcome" not in body["records"][0]


@pytest.mark.parametrize(
    ("kind", "verb"),
    [
        (OutcomeKind.APPLIED, "settled"),
        (OutcomeKind.FAILED, "settled"),
        (OutcomeKind.UNVERIFIED, "settled"),
        (OutcomeKind.UNKNOWN, "looked at"),
        (OutcomeKind.TIMED_OUT, "looked at"),
    ],
)
def test_an_update_whose_end_was_not_seen_is_not_settled(planned: Planned, kind: OutcomeKind, verb: str) -> None:
    told = record(planned({"PasswordPolicy.MinimumLength": 12}))
    told = replace(told, outcome=replace(told.outcome, kind=kind), resumes="20261124T070000Z-00000000")
    assert f"\n  {verb} the update of run 20261124T070000Z-00000000\n" in runs_text([told], colour=False)


def test_of_a_commit_whose_documents_nobody_could_compare_nothing_is_said(planned: Planned) -> None:
    run = replace(RUN, commit=Commit("f" * 40, dirty=None))
    told = record(planned({"PasswordPolicy.MinimumLength": 12}), run)
    assert history_text([Entry(told)]).endswith("  ffffffff\n")
    assert f"\n  from commit {'f' * 40}\n" in runs_text([told], colour=False)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_target_that_nothing_was_applied_to_is_named_without_harm(text: str) -> None:
    told = history_text([], nothing_text(text, [text, "shop-prod"]))
    check_lines(told)
    assert told.count("\n") == 1
    check_fence(history_markdown([], nothing_text(text, [text])), history_text([], nothing_text(text, [text])))


def test_nothing_is_a_sentence_for_people_and_an_empty_list_for_machines() -> None:
    assert history_text([]) == "Nothing was applied yet.\n"
    assert json.loads(history_json([]))["records"] == []
