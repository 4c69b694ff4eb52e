"""Every diagnostic code of documents with its one wording; a code that is not here can't be used."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.errors import Diagnostic, Origin, Severity

_ERRORS: dict[str, str] = {
    # files
    "missing-path": "There is no such file or folder",
    "unreadable-file": "The file can't be read",
    "no-documents": "There are no auth documents here",
    "too-large": "The file is larger than 1 MB",
    "not-text": "The file is not text: it has bytes that no YAML or JSON file may have",
    "not-utf8": "The file is not encoded in UTF-8",
    "outside-project": "The file is outside the project",
    "another-project": "The document belongs to another project",
    "nested-project-file": "The project file stands below another one",
    "misnamed-project-file": "The project file has another name than reconciler.yaml",
    # YAML
    "yaml-syntax": "The text is not valid YAML or JSON",
    "too-deep": "Nested more than 64 deep",
    "too-many-values": "The document has more than 100,000 values once its aliases are expanded",
    "bad-alias": "An alias has no anchor before it",
    "bad-key": "A key must be plain text",
    "duplicate-key": "The same key is written twice",
    "merge-key": "The merge key '<<' is not supported",
    "unknown-tag": "A tag is not one of YAML's core types, or does not fit its value",
    # shape
    "not-an-auth-document": "This is not an auth document",
    "unknown-key": "There is no such key",
    "missing-key": "A required key is missing",
    "wrong-type": "The value has the wrong type",
    "not-allowed-value": "The value is not one of those allowed",
    "out-of-range": "The number is out of range",
    "too-short": "The text is too short",
    "too-long": "The text is too long",
    "too-many-items": "The list has too many items",
    "bad-pattern": "The text does not have the form that is required",
    "null-not-allowed": "null would remove this, which the service can't do",
    "empty-block": "An empty mapping says nothing here",
    "empty-list": "This list can't be empty",
    # values
    "bad-name": "A name may have letters, digits, '.', '_' and '-'",
    "bad-endpoint": "An endpoint in a document must be on this machine",
    "bad-redirect": "A redirect URI can't be used",
    "bad-domain-prefix": "The domain prefix can't be used",
    "missing-placeholder": "The message has no {####}, where the code goes",
    "control-character": "The text has a control character or a line break",
    "openid-missing": "PHONE, EMAIL and PROFILE need OPENID beside them",
    "forgot-password-differs": "ForgotPassword and VerificationMessage differ, and the service keeps one",
    # secrets and references
    "bad-reference": "A reference is not written correctly",
    "reference-not-allowed": "This reference may not be used here",
    "plaintext-secret": "A secret is written in clear",
    "masked-secret": "A mask stands where a secret belongs",
    "secret-variable": "A variable of this name may hold a secret",
    # waivers
    "bad-waiver": "The waiver does not fit the setting that it is for",
    "waiver-on-secret": "A secret can't be waived",
    "duplicate-waiver": "The same difference is waived twice",
    "bad-date": "The date is no day of the calendar",
    # layers and targets
    "bad-base": "Only a YAML or JSON file that is not hidden can be extended",
    "missing-base": "A document to extend can't be found",
    "extends-cycle": "Documents extend each other in a circle",
    "base-with-several-documents": "A file to extend must hold exactly one document",
    "unmanaged-written": "A path is both written and called unmanaged",
    "guard-not-for-documents": "No document can let this guard pass",
    "unknown-path": "There is no such path below ResourceConfig",
    "duplicate-name": "Two documents have the same name",
    "duplicate-target": "Two documents describe the same environment",
    "contradicts-option": "The document and the command line say different things",
    "no-region": "No region is given",
    "no-account": "No account is given for the role",
    "region-without-service": "AWS Amplify's backends are not known to be in this region",
}

_WARNINGS: dict[str, str] = {
    "empty-mapping": "An empty mapping manages nothing",
    "redirect-trailing-slash": "A redirect URI has no slash at its end",
    "duplicate-item": "The list has the same item twice",
    "deprecated": "ForgotPassword is deprecated in favour of VerificationMessage",
    "no-effect": "This setting means nothing beside the others",
    "manages-nothing": "The document manages nothing",
    "unfit-override": "No target fits this override",
    "no-role": "This means something only beside role_arn",
    "unmanaged-nothing": "Nothing that is extended manages this path",
}

CODES: Mapping[str, str] = MappingProxyType({**_ERRORS, **_WARNINGS})
"""Code -> its summary, in one line."""

WARNINGS: frozenset[str] = frozenset(_WARNINGS)
"""The codes that only warn."""


def problem(
    code: str,
    origin: Origin | None,
    detail: str = "",
    *,
    hint: str = "",
    excerpt: str | None = None,
    target: str | None = None,
) -> Diagnostic:
    """A diagnostic whose summary and severity come from the table.

    Raises:
        KeyError: the code is not in :data:`CODES`.
    """
    severity = Severity.WARNING if code in WARNINGS else Severity.ERROR
    return Diagnostic(severity, code, CODES[code], detail, hint, origin, excerpt, target)
