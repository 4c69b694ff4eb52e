"""Which target a document describes: its own words, what the command line fills in, and clashes between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.config.layers import Document
from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.config.schema import check_key
from reconciler.config.source import Source
from reconciler.core.model import Access, Target
from reconciler.core.references import REMOTE, ReferenceSyntax, Template, parse_references
from reconciler.errors import Diagnostic, Origin

ExpandText: TypeAlias = Callable[[Template, Origin], str | Diagnostic]
"""Expands the references of a text that is no secret, or says why it can't."""

UNKNOWN_REGION = "-"
"""The region of a target that is only validated, where none is given."""

_REQUIRED = ("AppId", "BackendEnvironmentName", "ResourceName")
_OPTIONS = ("region", "profile", "endpoint_url")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the command line gives; ``region_of`` looks a profile's region up (None: the default profile)."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    region_of: Callable[[str | None], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything of a document that is not a setting."""

    name: str
    target: Target
    access: Access
    allow: frozenset[str]
    labels: Mapping[str, str]


@dataclass(slots=True)
class Identities:
    """Settles identities one after another, so that two of the same are noticed."""

    defaults: Defaults
    environ: Mapping[str, str] = field(repr=False)
    expand: ExpandText | None
    resolve: bool
    problems: list[Diagnostic] = field(default_factory=list)
    _names: dict[str, Origin] = field(default_factory=dict)
    _targets: dict[object, Origin] = field(default_factory=dict)
    _regions: dict[str | None, str | None] = field(default_factory=dict)

    def report(self, source: Source, code: str, origin: Origin, detail: str = "", hint: str = "") -> None:
        """Record a problem with the line that it is about."""
        self.problems.append(source.problem(code, origin, detail, hint=hint))

    def settle(self, document: Document, node: MappingNode, sources: Mapping[str, Source]) -> Identity | None:
        """The identity of a merged document, or None with each problem recorded."""
        before = len(self.problems)
        texts = {
            key: text
            for key in (*_REQUIRED, *_OPTIONS, "account", "role_arn")
            if (text := self._text(key, node.get(key), sources)) is not None
        }
        missing = [key for key in _REQUIRED if key not in node.entries]
        if missing:
            without = "a document that others extend needs no AppId"
            with_it = "AppId makes this a target; leave it to the documents that extend this one"
            hint = without if "AppId" in missing else with_it
            self.report(document.source, "missing-key", document.node.origin, ", ".join(missing), hint)
        for key in _OPTIONS:
            self._fill(key, node, texts, sources)
        if "region" not in texts and "region" not in node.entries:
            self._fill_region(document, texts)
        name = self._name(document, texts, sources)
        if name is None or any(key not in texts for key in (*_REQUIRED, "region")):
            return None
        target = Target(
            texts["AppId"],
            texts["BackendEnvironmentName"],
            texts["ResourceName"],
            texts["region"],
            texts.get("account"),
            texts.get("endpoint_url"),
        )
        labels = self._labels(node.get("labels"), sources)
        self._once(document, name, target)
        if len(self.problems) > before:
            return None
        access = Access(texts.get("profile"), texts.get("role_arn"))
        return Identity(name, target, access, _words(node.get("allow")), labels)

    def _text(self, key: str, node: Node | None, sources: Mapping[str, Source]) -> str | None:
        """The text at a key with its references expanded; None where there is none, or no good one."""
        value = node.value if isinstance(node, ScalarNode) else None
        if key == "account" and type(value) is int:
            return str(value)
        if node is None or not isinstance(value, str):
            return None
        try:
            written = parse_references(value)
        except ReferenceSyntax:
            return None
        if isinstance(written, str):
            return written
        if self.expand is None or any(reference.scheme in REMOTE for reference in written.references):
            return value  # one that may not stand here is told where the document is checked
        expanded = self.expand(written, node.origin)
        excerpt = sources[node.origin.file].excerpt(node.origin)
        problems = (
            [expanded] if isinstance(expanded, Diagnostic) else check_key(key, expanded, node.origin, excerpt=excerpt)
        )
        self.problems.extend(problems)
        return expanded if isinstance(expanded, str) and not problems else None

    def _fill(self, key: str, node: MappingNode, texts: dict[str, str], sources: Mapping[str, Source]) -> None:
        given = getattr(self.defaults, key)
        if given is None:
            return
        entry = node.entries.get(key)
        if entry is None:
            texts[key] = given
        elif key in texts and texts[key] != given and (self.resolve or "${" not in texts[key]):
            option = "--" + key.replace("_", "-")
            hint = f"leave {option} out, or choose documents that agree with it"
            origin = entry.node.origin
            self.report(sources[origin.file], "contradicts-option", origin, f"{option} says otherwise.", hint)

    def _fill_region(self, document: Document, texts: dict[str, str]) -> None:
        region = self.environ.get("AWS_REGION") or self.environ.get("AWS_DEFAULT_REGION")
        region = region or self._region_of(texts.get("profile"))
        if region:
            texts["region"] = region
        elif self.resolve:
            hint = "write 'region:', give --region, or set AWS_DEFAULT_REGION"
            self.report(document.source, "no-region", document.node.origin, hint=hint)
        else:
            texts["region"] = UNKNOWN_REGION

    def _region_of(self, profile: str | None) -> str | None:
        """The profile's region; looked up once, since that reads files."""
        if self.defaults.region_of is None:
            return None
        if profile not in self._regions:
            self._regions[profile] = self.defaults.region_of(profile)
        return self._regions[profile]

    def _name(self, document: Document, texts: Mapping[str, str], sources: Mapping[str, Source]) -> str | None:
        if "name" in document.node.entries:
            return self._text("name", document.node.get("name"), sources)
        if "ResourceName" in texts and "BackendEnvironmentName" in texts:
            return f"{texts['ResourceName']}-{texts['BackendEnvironmentName']}"
        return None

    def _labels(self, node: Node | None, sources: Mapping[str, Source]) -> dict[str, str]:
        entries = node.entries if isinstance(node, MappingNode) else {}
        texts = {key: self._text("labels", entry.node, sources) for key, entry in entries.items()}
        return {key: text for key, text in texts.items() if text is not None}

    def _once(self, document: Document, name: str, target: Target) -> None:
        """No other document may have the same name, or describe the same environment."""
        named = document.node.get("name")
        place = named.origin if named else document.node.origin
        first = self._names.setdefault(name, place)
        if first is not place:
            self.report(document.source, "duplicate-name", place, f"{name} is also in {first}.", "write 'name:'")
        app = document.node.get("AppId")
        place = app.origin if app else document.node.origin
        # Accounts are not known yet, and an app's id is unique across them.
        key = (target.region, target.app, target.environment)
        first = self._targets.setdefault(key, place)
        if first is not place:
            hint = "the service has one auth for each environment: keep one document"
            self.report(document.source, "duplicate-target", place, f"The other is in {first}.", hint)


def _words(node: Node | None) -> frozenset[str]:
    items = node.items if isinstance(node, ListNode) else ()
    return frozenset(str(item.value) for item in items if isinstance(item, ScalarNode))
