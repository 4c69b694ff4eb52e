import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Outcome, OutcomeKind, Plan, Target, TargetPlan
from reconciler.core.planfile import from_json
from reconciler.errors import Diagnostic, Severity
from reconciler.render.json import diagnostics_json, outcome_json, plan_json

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1")

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]


@given(message=st.text(min_size=1))
def test_a_plan_read_back_is_written_the_same(message: str, planned: Planned, plan_of: PlanOf) -> None:
    text = plan_json(plan_of(planned({"VerificationMessage.EmailSettings.EmailSubject": message})), "1.0")
    assert text.isascii()
    assert text.count("\n") == 1
    assert plan_json(from_json(text), "1.0") == text


def test_a_workflow_command_in_a_value_survives_only_as_data(planned: Planned, plan_of: PlanOf) -> None:
    plan = planned({"VerificationMessage.EmailSettings.EmailSubject": "\\##[error]x"})
    text = plan_json(plan_of(plan), "1.0")
    assert "##[" not in text
    assert from_json(text).planned == (plan,)


def test_an_apply_is_complete_only_when_every_target_is() -> None:
    done = Outcome("a", TARGET, OutcomeKind.UNCHANGED)
    failed = Outcome("b", TARGET, OutcomeKind.TIMED_OUT, "late")
    assert json.loads(outcome_json((done,), "1.0"))["complete"] is True
    body = json.loads(outcome_json((done, failed), "1.0"))
    assert body["complete"] is False
    assert body["counts"] == {"unchanged": 1, "timed out": 1}


def test_warnings_leave_documents_valid() -> None:
    body = json.loads(diagnostics_json((Diagnostic(Severity.WARNING, "code", "summary"),)))
    assert (body["valid"], body["error_count"], body["warning_count"]) == (True, 0, 1)
    assert "range" not in body["diagnostics"][0]
