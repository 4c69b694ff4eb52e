"""A policy of IAM as its JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reconciler.core.permissions import Statement


def policy_json(statements: Sequence[Statement]) -> str:
    """A policy that allows this and nothing else."""
    policy = {"Version": "2012-10-17", "Statement": [_object(statement) for statement in statements]}
    return json.dumps(policy, indent=2, ensure_ascii=False) + "\n"


def _object(statement: Statement) -> dict[str, Any]:
    condition = statement.condition
    return {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
        **({"Condition": {condition.operator: {condition.key: condition.value}}} if condition else {}),
    }
