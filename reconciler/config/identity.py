"""Which target a document describes, and clashes between documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.config.layers import Document
from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.config.project import OBSERVE, Project
from reconciler.config.texts import Texts
from reconciler.config.ways import Ways
from reconciler.core.given import Given
from reconciler.core.guards import WITH_PATHS
from reconciler.core.model import Access, Target, dotted
from reconciler.errors import Origin, Severity

_REQUIRED = ("AppId", "BackendEnvironmentName", "ResourceName")


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything of a document that is not a setting."""

    name: str
    target: Target
    access: Access
    allow: frozenset[str]
    labels: Mapping[str, str]
    wave: int = 0
    observed: bool = False


@dataclass(slots=True)
class Identities:
    """Settles identities one after another, so that two of the same are noticed.

    ``given`` tells, by name, where what a target is reached by comes from; ``fitted`` are the places of the overrides
    that some document fits, and ``certain`` whether the names and labels of all are known.
    """

    texts: Texts
    ways: Ways
    project: Project
    given: dict[str, Mapping[str, Given]] = field(default_factory=dict)
    fitted: set[Origin] = field(default_factory=set)
    certain: bool = True
    _names: dict[str, Origin] = field(default_factory=dict)
    _targets: dict[object, Origin] = field(default_factory=dict)

    def settle(self, document: Document, node: MappingNode) -> Identity | None:
        """The identity of a merged document, or None with each problem recorded."""
        before = len(self.texts.problems)
        texts = {key: text for key in _REQUIRED if (text := self.texts.read(key, node.get(key))) is not None}
        missing = [key for key in _REQUIRED if key not in node.entries]
        if missing:
            without = "a document that others extend needs no AppId"
            with_it = "AppId makes this a target; leave it to the documents that extend this one"
            hint = without if "AppId" in missing else with_it
            self.texts.report("missing-key", document.node.origin, ", ".join(missing), hint)
        name = self._name(document, texts)
        labels = self._labels(node.get("labels"))
        project = self.project.entries_for(name or "", labels)
        self.fitted.update(override.origin for override in self.project.fitting(name or "", labels))
        certain = "${" not in f"{name}{list(labels.values())}"
        self.certain = self.certain and certain and document.whole
        given = self.ways.settle(node, project, document.node.origin, certain=certain)
        if name is None or "region" not in given or any(key not in texts for key in _REQUIRED):
            return None
        found = {key: entry.value for key, entry in given.items()}
        target = Target(
            texts["AppId"],
            texts["BackendEnvironmentName"],
            texts["ResourceName"],
            found["region"],
            found.get("account"),
            found.get("endpoint_url"),
        )
        self._once(document, name, target)
        if any(found.severity is Severity.ERROR for found in self.texts.problems[before:]):
            return None
        access = Access(
            found.get("profile"), found.get("role_arn"), found.get("external_id"), found.get("session_name")
        )
        wave = node.entries.get("wave") or project.get("wave")
        if wave is not None:
            place = wave.node.origin
            given["wave"] = Given(str(_whole(wave.node)), str(place), place)
        observed = self._show_rails(given, name, labels)
        self.given[name] = given
        allow, turn = self._allowed(node.get("allow")), _whole(wave.node if wave else None)
        return Identity(name, target, access, allow, labels, turn, observed)

    def _name(self, document: Document, texts: Mapping[str, str]) -> str | None:
        if "name" in document.node.entries:
            return self.texts.read("name", document.node.get("name"))
        if "ResourceName" in texts and "BackendEnvironmentName" in texts:
            return f"{texts['ResourceName']}-{texts['BackendEnvironmentName']}"
        return None

    def _show_rails(self, given: dict[str, Given], name: str, labels: Mapping[str, str]) -> bool:
        """Tell what the project puts in an apply's way, for whoever lists targets; and whether it only observes."""
        rails = self.project.rails_for(name, labels)
        if rails.observed is not None:
            given["mode"] = Given(OBSERVE, str(rails.observed), rails.observed)
        if rails.protected:
            places = tuple(rails.protected.values())
            given["protect"] = Given(", ".join(map(dotted, rails.protected)), str(places[0]), places[0])
        return rails.observed is not None

    def _allowed(self, node: Node | None) -> frozenset[str]:
        """The guards that a document lets pass; those that a person decides about each time are none of them."""
        for item in node.items if isinstance(node, ListNode) else ():
            if isinstance(item, ScalarNode) and str(item.value) in WITH_PATHS:
                hint = f"give --allow {item.value} when planning"
                self.texts.report("guard-not-for-documents", item.origin, str(item.value), hint)
        return _words(node)

    def _labels(self, node: Node | None) -> dict[str, str]:
        entries = node.entries if isinstance(node, MappingNode) else {}
        texts = {key: self.texts.read("labels", entry.node) for key, entry in entries.items()}
        return {key: text for key, text in texts.items() if text is not None}

    def _once(self, document: Document, name: str, target: Target) -> None:
        """No other document may have the same name, or describe the same environment."""
        named = document.node.get("name")
        place = named.origin if named else document.node.origin
        first = self._names.setdefault(name, place)
        if first is not place:
            self.texts.report("duplicate-name", place, f"{name} is also in {first}.", "write 'name:'")
        app = document.node.get("AppId")
        place = app.origin if app else document.node.origin
        # Accounts are not known yet, and an app's id is unique across them.
        key = (target.region, target.app, target.environment)
        first = self._targets.setdefault(key, place)
        if first is not place:
            hint = "the service has one auth for each environment: keep one document"
            self.texts.report("duplicate-target", place, f"The other is in {first}.", hint)


def _whole(node: Node | None) -> int:
    """A whole number, also where it is written as ``1.0``; 0 where there is none, or no good one."""
    value = node.value if isinstance(node, ScalarNode) else None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return int(value) if whole and value is not None else 0


def _words(node: Node | None) -> frozenset[str]:
    items = node.items if isinstance(node, ListNode) else ()
    return frozenset(str(item.value) for item in items if isinstance(item, ScalarNode))
