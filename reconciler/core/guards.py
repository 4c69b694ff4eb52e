"""The guards: what each stands for, and which of them stand at one path."""

from __future__ import annotations

UNSEEN_SETTINGS = "unseen-settings"
CONFLICT = "conflict"
PROTECTED = "protected"
GUARDS = {
    "identity-pool-deletion": "the identity pool and every guest identity in it would be deleted",
    "mfa-on": "MFA would be turned ON in a user pool that exists, which most pools refuse",
    "unread-mfa": "the service did not return Mfa whole, and resets what an update does not carry of it",
    "unread-verification": "the service did not return VerificationMessage whole, and resets what is not carried",
    UNSEEN_SETTINGS: "an update would clear settings that this API can't express",
    CONFLICT: "git and live moved it both, to different values",
    PROTECTED: "the project file protects it",
}
"""Each guard and what it stands for; ``--allow CODE`` lets it pass."""
WITH_PATHS = frozenset({CONFLICT, PROTECTED})
"""The guards that stand at one path each; ``--allow CODE:PATH`` lets one pass, and no document can."""
