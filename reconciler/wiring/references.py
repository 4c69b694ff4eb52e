"""Follow the references of documents and plans: fetch what is at AWS, once a run, and put values in their places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.model import Desired
from reconciler.core.references import Template
from reconciler.errors import Diagnostic, Origin, ServiceProblem

if TYPE_CHECKING:
    from reconciler.core.secret import Secret
    from reconciler.core.sources import Fetched, SecretProvider, Source
    from reconciler.secrets import Resolver, Way

Resolved = tuple[Desired, tuple[Diagnostic, ...]]


class References:
    """What one command resolves; whatever it fetches is fetched once. Fetch from the main thread only."""

    def __init__(
        self,
        environ: Mapping[str, str],
        project_root: Path,
        provider: Callable[[], SecretProvider],
        env_names: frozenset[str] = frozenset(),
    ) -> None:
        """Remember where to look.

        Args:
            environ: the environment.
            project_root: where the project ends.
            provider: what fetches from AWS; made when something is to be fetched.
            env_names: the variables that the project file opens to any field.
        """
        self._environ = environ
        self._project_root = project_root
        self._provider = provider
        self._env_names = env_names
        self._fetched: dict[Source, Fetched | ServiceProblem] = {}
        self.known: set[Secret] = set()
        """The secrets that were resolved so far, so that whoever talks to the service can mask them."""

    @cached_property
    def resolver(self) -> Resolver:
        """Resolves what documents say that are named from the current folder."""
        return self._resolver(Path())

    def resolve(self, documents: Iterable[Desired], *, secrets: bool = True) -> tuple[Resolved, ...]:
        """Each document with its references replaced by their values, and what is wrong with them.

        Args:
            documents: what is desired; what all of them need from AWS is fetched at once.
            secrets: False leaves those in secret fields, and those to Secrets Manager in free text, as they are.
        """
        from reconciler.config.schema import check_expanded

        wanted = tuple(documents)
        self._fetch(source for desired in wanted for source in self.resolver.sources(desired, secrets=secrets))
        found = []
        for desired in wanted:
            expanded, problems = self.resolver.expand(desired, secrets=secrets)
            self._note(expanded)
            found.append((expanded, (*problems, *check_expanded(desired, expanded))))
        return tuple(found)

    def of_plan(self, planned_in: str, documents: Iterable[Desired]) -> Callable[[Desired], Resolved]:
        """What resolves the references that a plan holds, which may have been made in another folder of the project.

        Args:
            planned_in: that folder, relative to the project's root.
            documents: what the plan holds of the documents that need their secrets; what they need is fetched now.
        """
        from reconciler.config.schema import check_expanded

        resolver = self._resolver(Path(os.path.relpath(self._project_root / planned_in)))
        self._fetch(source for desired in documents for source in resolver.sources(desired))

        def resolve(desired: Desired) -> Resolved:
            lost = resolver.lost_files(desired)
            if lost:
                return desired, lost
            expanded, problems = resolver.expand(desired, planned=True)
            self._note(expanded)
            return expanded, (*problems, *check_expanded(desired, expanded))

        return resolve

    def secret(self, template: Template, origin: Origin, way: Way) -> Secret | Diagnostic:
        """One secret that is no field's, or why it can't be had."""
        self._fetch(self.resolver.sources_of(template, way))
        return self.resolver.expand_secret(template, origin, way)

    def _note(self, expanded: Desired) -> None:
        from reconciler.core.secret import Secret

        self.known.update(one.value for one in expanded.settings.values() if isinstance(one.value, Secret))

    def _resolver(self, folder: Path) -> Resolver:
        from reconciler.secrets import Resolver

        return Resolver(self._environ, self._project_root, folder, self._fetched, self._env_names)

    def _fetch(self, sources: Iterable[Source]) -> None:
        missing = [source for source in dict.fromkeys(sources) if source not in self._fetched]
        if not missing:
            return
        from reconciler.core.sources import Fetched

        found = self._provider().fetch(missing)
        self._fetched |= found
        # A text may have what was fetched as a part of it.
        self.known.update(one.text for one in found.values() if isinstance(one, Fetched) and one.sensitive)
