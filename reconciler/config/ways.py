"""How a target is reached: by what its document writes, then the command line, the project file, the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.config.nodes import Entry, MappingNode
from reconciler.config.texts import Texts
from reconciler.core.given import Given
from reconciler.errors import Origin

UNKNOWN_REGION = "-"
"""The region of a target that is only validated, where none is given."""
ACCOUNT = "{account}"
"""Stands for the target's account in a role."""

_OPTIONS = ("region", "profile", "endpoint_url")
_KEYS = ("region", "profile", "role_arn", "external_id", "session_name", "account", "endpoint_url")
_OF_A_ROLE = ("external_id", "session_name")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the command line gives; ``region_of`` looks a profile's region up (None: the default profile)."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    region_of: Callable[[str | None], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """Settles how targets are reached; ``environ`` is where ``AWS_REGION`` is looked up.

    Without ``resolve`` references stay as they are, and a missing region is no problem.
    """

    defaults: Defaults
    environ: Mapping[str, str] = field(repr=False)
    texts: Texts
    resolve: bool
    _regions: dict[str | None, str | None] = field(default_factory=dict)

    def settle(
        self, node: MappingNode, project: Mapping[str, Entry], document: Origin, *, certain: bool
    ) -> dict[str, Given]:
        """What is given of region, profile, role, account and endpoint.

        Args:
            node: the merged document.
            project: what the project file says for this target.
            document: where the document begins.
            certain: whether the overrides that fit are known: not so while names and labels have references in them.
        """
        given = {key: found for key in _KEYS if (found := self._one(key, node.entries.get(key), project.get(key)))}
        if "region" not in given and "region" not in node.entries and "region" not in project:
            region = self._of_the_environment(given.get("profile"))
            if region is None and self.resolve:
                hint = "write 'region:', give --region, or set AWS_DEFAULT_REGION"
                self.texts.report("no-region", document, hint=hint)
            elif region is None:
                given["region"] = Given(UNKNOWN_REGION, "")
            else:
                given["region"] = region
        self._settle_role(given, node, project, document, certain=certain)
        return given

    def _one(self, key: str, written: Entry | None, project: Entry | None) -> Given | None:
        option = getattr(self.defaults, key) if key in _OPTIONS else None
        named = "--" + key.replace("_", "-")
        if written is None and option is not None:
            return Given(option, named)
        entry = written or project
        text = self.texts.read(key, entry.node) if entry is not None else None
        if entry is None or text is None:
            return None
        resolved = self.resolve or "${" not in text
        if option is not None and text != option and resolved:
            hint = f"leave {named} out, or choose documents that agree with it"
            self.texts.report("contradicts-option", entry.node.origin, f"{named} says otherwise.", hint)
        return Given(text, str(entry.node.origin), entry.node.origin)

    def _of_the_environment(self, profile: Given | None) -> Given | None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            if self.environ.get(name):
                return Given(self.environ[name], name)
        named = profile.value if profile else None
        region = self._region_of(named)
        in_force = named or self.environ.get("AWS_PROFILE")
        return Given(region, f"profile {in_force}" if in_force else "the default profile") if region else None

    def _region_of(self, profile: str | None) -> str | None:
        """The profile's region; looked up once, since that reads files."""
        if self.defaults.region_of is None:
            return None
        if profile not in self._regions:
            self._regions[profile] = self.defaults.region_of(profile)
        return self._regions[profile]

    def _settle_role(
        self,
        given: dict[str, Given],
        node: MappingNode,
        project: Mapping[str, Entry],
        document: Origin,
        *,
        certain: bool,
    ) -> None:
        """Put the account into the role; what belongs to a role means nothing without it, or for another role."""
        role = given.get("role_arn")
        if role is not None and "role_arn" in node.entries and "external_id" not in node.entries:
            given.pop("external_id", None)
        if role is None:
            for key in _OF_A_ROLE:
                given.pop(key, None)
                if key in node.entries and "role_arn" not in node.entries:
                    self.texts.report("no-role", node.entries[key].key, key, "write 'role_arn:', or leave this out")
        elif ACCOUNT in role.value:
            account = given.get("account")
            if account is not None:
                given["role_arn"] = replace(role, value=role.value.replace(ACCOUNT, account.value))
            elif certain and "account" not in node.entries and "account" not in project:
                written = role.origin if "role_arn" in node.entries else None
                detail = f"{role.value}{'' if written else f' in {role.where}'}"
                self.texts.report("no-account", written or document, detail, "write 'account:' into the document")
