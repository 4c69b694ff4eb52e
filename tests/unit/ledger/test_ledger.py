"""The ledger between runs that meet: a plan that two take at once is one's, and the other knows whose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.core.model import Outcome, OutcomeKind
from reconciler.core.store import Stored
from reconciler.errors import LedgerDamaged, LedgerProblem
from reconciler.ledger.ledger import Claim, Ledger, Opened, is_run
from reconciler.ledger.record import Intent, Record, Run, key_of, run_id
from tests.unit.core.builders import TARGET, live, prepared
from tests.unit.operations.ledgers import RUN, MemoryLeases, MemoryStore, Watched

DIGEST = "sha256:5e1f"
OTHER = replace(RUN, id="20260101T000001Z-0000bbbb")


def given_back(store: MemoryStore) -> Ledger:
    """A ledger with a plan that was taken, and given back."""
    ledger = Ledger(store, MemoryLeases())
    claim = ledger.claim(DIGEST, RUN)
    assert isinstance(claim, Claim)
    ledger.give_back(claim, RUN)
    return ledger


def overtaken(store: MemoryStore, by: Callable[[], object]) -> Ledger:
    """The same ledger, in which somebody does something right before each of our writes."""
    before = given_back(store)
    calls: list[int] = []

    def first(_key: str) -> None:
        calls.append(1)
        if len(calls) == 2:  # the first write only asks whether the plan was ever taken
            by()

    return replace(before, store=Watched(store, first))


def test_who_loses_a_race_for_a_plan_is_told_the_winners_run() -> None:
    store = MemoryStore()
    ours = overtaken(store, lambda: Ledger(store, MemoryLeases()).claim(DIGEST, OTHER))
    assert ours.claim(DIGEST, RUN) == OTHER.id
    assert ours.used_by(DIGEST) == OTHER.id


def test_who_meets_one_that_takes_a_plan_and_gives_it_back_gets_it() -> None:
    store = MemoryStore()

    def pass_by() -> None:
        theirs = Ledger(store, MemoryLeases())
        claim = theirs.claim(DIGEST, OTHER)
        assert isinstance(claim, Claim)
        theirs.give_back(claim, OTHER)

    ours = overtaken(store, pass_by)
    assert isinstance(ours.claim(DIGEST, RUN), Claim)
    assert ours.used_by(DIGEST) == RUN.id


def test_a_plan_that_never_rests_is_a_problem_of_the_ledger_and_no_endless_try() -> None:
    store = MemoryStore()
    given_back(store)
    restless = Watched(store, lambda key: store.objects.update({key: store.objects[key] + b" "}))
    with pytest.raises(LedgerProblem, match="taken and given back all the time"):
        Ledger(restless, MemoryLeases()).claim(DIGEST, RUN)


def test_the_ids_that_are_given_are_ids_and_what_leads_elsewhere_is_none() -> None:
    first = run_id("2026-11-24T08:00:00Z", "1a2b3c4d")
    for given in (first, f"{run_id('2026-11-24T09:00:00Z', '00000000')}-1a2b3c4d"):
        assert is_run(given)
    for odd in (
        "",
        "shop-prod",
        "../x",
        f"{first}/",
        f"{first}\n",
        f"{first}/shop-prod",
        first.lower(),
        first + "0" * 99,
    ):
        assert not is_run(odd)


# --- what a ledger refuses -----------------------------------------------------------------------


def intent(run: Run = RUN) -> Intent:
    before = live()
    return Intent(run, prepared({"UserPoolConfigs.PasswordPolicy.MinimumLength": 9}, before).plan, before, frozenset())


def test_an_update_is_not_begun_while_another_is_under_way() -> None:
    ledger = Ledger(MemoryStore(), MemoryLeases())
    ledger.begin(intent())
    with pytest.raises(LedgerProblem, match="another update of this environment") as caught:
        ledger.begin(intent(OTHER))
    assert "was opened meanwhile" in caught.value.detail
    (opened,) = ledger.all_under_way()
    assert opened.intent.run == RUN


def test_a_journal_that_another_run_opens_right_before_ours_stays_its_own() -> None:
    store = MemoryStore()
    theirs = Ledger(store, MemoryLeases())
    overtaking: list[Opened] = []

    def first(_key: str) -> None:
        if not overtaking:
            overtaking.append(theirs.begin(intent(OTHER)))

    with pytest.raises(LedgerProblem, match="another update of this environment"):
        Ledger(Watched(store, first), MemoryLeases()).begin(intent())
    (opened,) = theirs.all_under_way()
    assert opened.intent.run == OTHER


def test_a_record_that_is_there_is_never_written_over() -> None:
    store = MemoryStore()
    ledger = Ledger(store, MemoryLeases())
    plan = intent().plan
    record = Record(RUN, plan, Outcome(plan.name, plan.target, OutcomeKind.APPLIED), RUN.started, 1.0, True)
    ledger.write(record)
    kept = dict(store.objects)
    with pytest.raises(LedgerProblem, match="already"):
        ledger.write(replace(record, sent=False))
    assert store.objects == kept


class Vanishing(MemoryStore):
    """A place in which something stands that nobody can read."""

    def get(self, key: str) -> Stored | None:
        del key
        return None


def test_a_plan_whose_claim_can_not_be_read_is_not_taken() -> None:
    ledger = Ledger(Vanishing({"plans/5e1f.json": b"{}"}), MemoryLeases())
    with pytest.raises(LedgerProblem, match=r"plans/5e1f\.json can't be read"):
        ledger.claim(DIGEST, RUN)


@pytest.mark.parametrize("text", [b"{", b"\xff", b"{}", b"[]", b"1", b'{"used": true}'])
def test_a_claim_that_is_damaged_is_neither_free_nor_taken(text: bytes) -> None:
    ledger = Ledger(MemoryStore({"plans/5e1f.json": text}), MemoryLeases())
    for ask in (lambda: ledger.used_by(DIGEST), lambda: ledger.claim(DIGEST, RUN)):
        with pytest.raises(LedgerDamaged, match=r"plans/5e1f\.json can't be understood"):
            ask()


def test_an_account_that_sts_did_not_tell_makes_no_other_target_of_an_environment() -> None:
    assert key_of(replace(TARGET, account=None)) == key_of(replace(TARGET, account="111122223333"))
    others = [replace(TARGET, app="d2"), replace(TARGET, environment="dev"), replace(TARGET, region="eu-west-1")]
    assert len({key_of(target) for target in [TARGET, *others]}) == 4
