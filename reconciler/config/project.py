"""The project file ``reconciler.yaml``: what a project says once for all of its documents."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from math import isnan
from pathlib import Path
from typing import Any

from reconciler.config.checking import check_way, items_of, placed, scalars
from reconciler.config.codes import problem
from reconciler.config.discovery import MISNAMED, PROJECT_FILE, project_file_above
from reconciler.config.document import compose
from reconciler.config.masking import is_secret_key
from reconciler.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode, plain
from reconciler.config.rules import Finding
from reconciler.config.schema import PROJECT, shape_findings
from reconciler.config.source import Source, read_file
from reconciler.config.violations import Place
from reconciler.config.waivers import WAIVERS, check_waivers, hide_secrets, waivers_of
from reconciler.config.webhooks import WEBHOOK_HINT, Webhook, problems_of_hosts, problems_of_webhook, webhooks
from reconciler.config.written import Written, written_at, wrong_secret
from reconciler.core.fields import PLACES
from reconciler.core.model import Path as FieldPath
from reconciler.core.model import Waiver
from reconciler.core.rails import Rails
from reconciler.core.references import OPEN_PREFIX, ReferenceSyntax, Template, parse_references
from reconciler.core.store import is_address, parse_location
from reconciler.errors import Diagnostic, InputProblem, Origin

RAIL_KEYS = ("mode", "protect")
"""What only a project says: a pull request on a document must not take a rail away."""

TARGET_KEYS = ("region", "profile", "role_arn", "external_id", "session_name", "account", "wave")
"""What a document may leave to the project file: how its target is reached, and when it is applied."""

OBSERVE = "observe"
"""The mode of a target that is planned and compared, and never applied."""
_LEDGER_HINT = "write a folder, or s3://bucket/prefix"
_KEY_HINT = "write a reference and nothing else, such as ${ssm:/reconciler/ledger-key}"
_TELLING = re.compile(
    r"(?i)(?:^|_)(?:(?:API)?(?:KEYS?|JWT|BEARER|COOKIE|PASSPHRASE|PWD|PAT|PEM|P8|P12|PFX|DSN|AUTH|CERT|SESSION)|PROXY"
    r"|(?:WEB)?HOOKS?|(?:DATABASE|DB|REDIS|MONGO|AMQP)\w*_UR[IL]|(?:REPOSITORY|INDEX)_UR[IL])(?:_|$)"
)
"""Names of variables that are likely to hold secrets, besides those that keys of documents tell of."""
_ENV_HINT = "a plan would show it: name variables that hold no secret"


@dataclass(frozen=True, slots=True)
class Override:
    """What holds for the targets of some names (globs, none for any) and labels (globs, each must fit).

    ``origin`` is where that is written.
    """

    origin: Origin
    names: tuple[str, ...]
    labels: Mapping[str, str]
    entries: Mapping[str, Entry]
    waivers: tuple[Waiver, ...] = ()

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a target is meant."""
        return (not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)) and all(
            key in labels and fnmatchcase(labels[key], pattern) for key, pattern in self.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Project:
    """What the project file says; ``source`` is None where there is none.

    ``ledger`` is a folder, or ``s3://bucket/prefix``. ``ledger_key`` tells where the key of the
    secrets' fingerprints is. ``poll_interval`` and ``job_timeout`` are seconds. ``env_names`` are the variables that
    any field may refer to. ``webhooks`` are told of drift, at none but the ``notify_hosts``. ``entries`` and
    ``overrides`` hold the :data:`TARGET_KEYS` and :data:`RAIL_KEYS`.
    """

    source: Source | None = None
    ledger: str | None = None
    ledger_key: Written | None = None
    parallelism: int | None = None
    poll_interval: float | None = None
    job_timeout: float | None = None
    env_names: frozenset[str] = frozenset()
    webhooks: tuple[Webhook, ...] = ()
    notify_hosts: frozenset[str] = frozenset()
    entries: Mapping[str, Entry] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def fitting(self, name: str, labels: Mapping[str, str]) -> tuple[Override, ...]:
        """The overrides that a document of this name and these labels fits."""
        return tuple(override for override in self.overrides if override.matches(name, labels))

    def entries_for(self, name: str, labels: Mapping[str, str]) -> Mapping[str, Entry]:
        """What a document of this name and these labels may leave out; of overrides that match the last one wins."""
        found = [override.entries for override in self.fitting(name, labels)]
        return (
            self.entries
            if not found
            else {key: entry for each in (self.entries, *found) for key, entry in each.items()}
        )

    @property
    def rails_by_document(self) -> bool:
        """Whether a target's name or labels have a say in what stands in an apply's way."""
        return any(not override.entries.keys().isdisjoint(RAIL_KEYS) for override in self.overrides)

    def rails_for(self, name: str, labels: Mapping[str, str]) -> Rails:
        """What stands in an apply's way; of modes that match the last one wins, and what one protects all do."""
        observed: Origin | None = None
        protected: dict[FieldPath, Origin] = {}
        for entries in (self.entries, *(override.entries for override in self.fitting(name, labels))):
            if "mode" in entries:
                mode = entries["mode"].node
                observed = mode.origin if plain(mode) == OBSERVE else None
            node = entries["protect"].node if "protect" in entries else None
            for item in node.items if isinstance(node, ListNode) else ():
                protected[tuple(str(plain(item)).split("."))] = item.origin
        return Rails(observed, protected)

    def waivers_for(self, name: str, labels: Mapping[str, str]) -> tuple[Waiver, ...]:
        """What is waived for a document of this name and these labels, besides what it says itself."""
        return (*self.waivers, *(waiver for override in self.fitting(name, labels) for waiver in override.waivers))


def read_project(root: Path) -> Project:
    """The project file of a folder; one that is not there, or is empty, says nothing.

    Raises:
        InputProblem: it can't be read, or says something else than it may: every problem of it.
    """
    path = root / PROJECT_FILE
    _refuse_misnamed(root)
    _refuse_nested(path)
    if not os.path.lexists(path):  # a link that leads nowhere can't be read
        return Project()
    name = str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    read = read_file(name, path, path)
    if isinstance(read, Diagnostic):
        raise InputProblem((read,))
    documents, problems = compose(read)
    if not problems and len(documents) > 1:
        problems = (read.problem("wrong-type", documents[1].origin, "The project file is one mapping."),)
    if not problems and documents:
        problems = tuple(_problems(read, documents[0])) or tuple(_problems_of_open_secrets(read, documents[0]))
    if problems:
        raise InputProblem(tuple(problems))
    return _project(read, documents[0]) if documents else Project(read)


def _refuse_misnamed(root: Path) -> None:
    """A file that is meant to be the project file, and would say nothing."""
    for name in MISNAMED:
        if os.path.lexists(root / name):
            origin = Origin(os.path.relpath(root / name), 1, 1)
            raise InputProblem((problem("misnamed-project-file", origin, name, hint=f"rename it to {PROJECT_FILE}"),))


def _refuse_nested(path: Path) -> None:
    """A file that would stand in for the project's own, and so for its rails: it may be a pull request's."""
    above = project_file_above(path.parent) if os.path.lexists(path) else None
    if above is not None:
        origin, detail = Origin(os.path.relpath(path), 1, 1), f"It would stand in for {os.path.relpath(above)}."
        hint = "let the upper one speak, with overrides, or keep the projects beside each other"
        raise InputProblem((problem("nested-project-file", origin, detail, hint=hint),))


def _problems(source: Source, node: Node) -> Iterator[Diagnostic]:
    if not isinstance(node, MappingNode):
        yield source.problem("wrong-type", node.origin, "The project file is a mapping.")
        return
    lists = _waivers(node)
    for listed in lists.values():
        hide_secrets(source, listed)
    yield from problems_of_hosts(source, node)
    bad: set[tuple[str | int, ...]] = set()
    for place, finding in shape_findings(plain(node), PROJECT):
        bad.add(place)
        yield placed(source, node, place, _as_here(place, finding))
    for place, scalar in scalars(node, ()):
        if isinstance(scalar.value, float) and isnan(scalar.value):
            yield source.problem("out-of-range", scalar.origin, f"{place[-1]} must be a number.")
        if isinstance(scalar.value, str) and not any(place[:length] in bad for length in range(1, len(place) + 1)):
            yield from _problems_of_text(source, place, scalar, scalar.value)
    for above, listed in lists.items():
        yield from check_waivers(source, listed, items_of(bad, above))


def _waivers(node: MappingNode) -> Mapping[Place, Node]:
    """Each list of waivers with its place: that of all targets, and those of overrides."""
    overrides = node.get("overrides")
    holders: dict[Place, Node] = {(): node}
    if isinstance(overrides, ListNode):
        holders |= {("overrides", index): item for index, item in enumerate(overrides.items)}
    return {
        (*place, WAIVERS): listed
        for place, holder in holders.items()
        if isinstance(holder, MappingNode) and (listed := holder.get(WAIVERS)) is not None
    }


def _as_here(place: Sequence[str | int], finding: Finding) -> Finding:
    """A finding of the schema in this file's words: nothing is removed here, so null is one more wrong type."""
    own = str(place[0]) if len(place) == 1 else str(place[-1]) if place[0] == "notify" else ""
    hints = {"ledger": _LEDGER_HINT, "ledger_key": _KEY_HINT, "url": WEBHOOK_HINT, "secret": WEBHOOK_HINT}
    hint = hints.get(own, finding.hint) if finding.code != "unknown-key" else finding.hint
    match finding.code:
        case "null-not-allowed":
            return replace(finding, code="wrong-type", hint=hint if hint != finding.hint else "leave it out")
        case "bad-pattern" if hint in {_KEY_HINT, WEBHOOK_HINT}:
            return Finding("plaintext-secret", own, hint)
        case _:
            return replace(finding, hint=hint)


def _problems_of_text(source: Source, place: Sequence[str | int], node: ScalarNode, text: str) -> Iterator[Diagnostic]:
    key = place[-1] if isinstance(place[-1], str) else place[-2]
    match key:
        case _ if place[0] == "notify":
            yield from problems_of_webhook(source, str(key), node, text)
        case "ledger":
            if odd := _odd(text):
                yield source.problem("bad-pattern", node.origin, odd, hint=_LEDGER_HINT)
        case "ledger_key":
            if wrong := wrong_secret(text):
                yield source.problem(wrong, node.origin, "ledger_key", hint=_KEY_HINT)
        case "env_names" if _may_be_secret(text):
            yield source.problem("secret-variable", node.origin, text, hint=_ENV_HINT)
        case _ if "labels" in place:
            yield from _problems_of_label(source, str(key), node)
        case "protect":
            yield from _problems_of_protected(source, node, text)
        case _ if key in TARGET_KEYS and "match" not in place:
            yield from _problems_of_reference(source, str(key), node, text)


def _problems_of_open_secrets(source: Source, top: Node) -> Iterator[Diagnostic]:
    """The variables that a document may show, where a sound project file takes a secret from one."""
    if not isinstance(top, MappingNode):
        return
    listed = top.get("env_names")
    names = {str(plain(item)) for item in listed.items} if isinstance(listed, ListNode) else set()
    secrets = [written for hook in webhooks(top.get("notify")) for written in (hook.url, hook.secret)]
    for written in filter(None, (written_at(top.get("ledger_key")), *secrets)):
        for reference in written.template.references:
            if reference.scheme == "env" and (reference.name in names or reference.name.startswith(OPEN_PREFIX)):
                hint = f"name another one, that neither begins with {OPEN_PREFIX} nor stands in env_names"
                yield source.problem("secret-variable", written.origin, reference.name, hint=hint)


def _may_be_secret(variable: str) -> bool:
    return is_secret_key(variable) or variable.upper().startswith("AWS_") or _TELLING.search(variable) is not None


def _problems_of_label(source: Source, key: str, node: ScalarNode) -> Iterator[Diagnostic]:
    if is_secret_key(key):
        hint = "a label is shown in every report: leave the secret out"
        yield source.problem("plaintext-secret", node.origin, key, hint=hint)


def _problems_of_protected(source: Source, node: ScalarNode, text: str) -> Iterator[Diagnostic]:
    if text in PLACES:
        return
    near = get_close_matches(text, PLACES, n=1)
    hint = f"did you mean {near[0]}?" if near else "write it from below ResourceConfig on: UserPoolConfigs.Mfa"
    yield source.problem("unknown-path", node.origin, text, hint=hint)


def _problems_of_reference(source: Source, key: str, node: ScalarNode, text: str) -> Iterator[Diagnostic]:
    try:
        written = parse_references(text)
    except ReferenceSyntax as error:
        yield source.problem("bad-reference", node.origin, f"{key}: {error}.")
        return
    else:
        if isinstance(written, Template):
            yield from check_way(source, key, written, node.origin)


def _project(source: Source, node: Node) -> Project:
    """What a sound project file says."""
    entries = node.entries if isinstance(node, MappingNode) else {}
    said: dict[str, Any] = {
        key: entry.node.value
        for key in ("ledger", "parallelism", "poll_interval", "job_timeout")
        if (entry := entries.get(key)) is not None and isinstance(entry.node, ScalarNode)
    }
    top = node if isinstance(node, MappingNode) else MappingNode({}, node.origin)
    return Project(
        source,
        ledger_key=written_at(top.get("ledger_key")),
        env_names=frozenset(_texts(top.get("env_names"))),
        webhooks=tuple(webhooks(top.get("notify"))),
        notify_hosts=frozenset(_texts(top.get("notify_hosts"))),
        entries=_target_entries(entries),
        overrides=tuple(_overrides(entries.get("overrides"))),
        waivers=waivers_of(entries[WAIVERS].node if WAIVERS in entries else None),
        **said,
    )


def _overrides(entry: Entry | None) -> Iterator[Override]:
    for item in entry.node.items if entry is not None and isinstance(entry.node, ListNode) else ():
        match = item.get("match") if isinstance(item, MappingNode) else None
        if isinstance(item, MappingNode) and isinstance(match, MappingNode):
            labels = match.get("labels")
            pairs = labels.entries.items() if isinstance(labels, MappingNode) else ()
            yield Override(
                match.origin,
                tuple(_texts(match.get("name"))),
                {key: text for key, value in pairs for text in _texts(value.node)},
                _target_entries(item.entries),
                waivers_of(item.get(WAIVERS)),
            )


def _target_entries(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    return {key: entry for key, entry in entries.items() if key in {*TARGET_KEYS, *RAIL_KEYS}}


def _texts(node: Node | None) -> Iterable[str]:
    """The text, or the texts of a list, at a node."""
    items = node.items if isinstance(node, ListNode) else (node,)
    return (item.value for item in items if isinstance(item, ScalarNode) and isinstance(item.value, str))


def _odd(place: str) -> str:
    """What is wrong with a place that is written as an address; empty where nothing is, as for a folder."""
    if is_address(place):
        try:
            parse_location(place)
        except ValueError as wrong:
            return str(wrong)
    return ""
