"""Whom drift is told: the project's webhooks, their references followed when there is something to tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from reconciler.core.model import Access, Plan
from reconciler.errors import Diagnostic, ReconcilerError

if TYPE_CHECKING:
    from reconciler.config.project import Project
    from reconciler.config.webhooks import Webhook
    from reconciler.config.written import Written
    from reconciler.core.secret import Secret
    from reconciler.core.sources import Source
    from reconciler.render.notification import Notification
    from reconciler.secrets import Way
    from reconciler.wiring.references import References


class Notifying:
    """The webhooks of one command. Nothing that goes wrong with them stops it."""

    def __init__(
        self,
        project: Callable[[], Project],
        references: References,
        *,
        embedded: bool,
        profile: Callable[[], str | None],
        region: Callable[[], str | None],
    ) -> None:
        """Remember where to look.

        Args:
            project: what the project file says.
            references: what follows the references to addresses and to secrets.
            embedded: whether the drift is the embedded backend's, of which none but this machine is told.
            profile: the profile with whose credentials they are followed.
            region: the region of a reference that names none.
        """
        self._project = project
        self._references = references
        self._embedded = embedded
        self._profile = profile
        self._region = region

    def sources(self) -> tuple[Source, ...]:
        """What the webhooks' addresses and secrets are fetched from at AWS."""
        written = [one for hook in self._project().webhooks for one in (hook.url, hook.secret) if one is not None]
        if not written:
            return ()
        way = self._way()
        return tuple(source for one in written for source in self._references.resolver.sources_of(one.template, way))

    def notify(self, plan: Plan) -> Iterator[str]:
        """Tell each webhook of a plan's drift, if there is any; each sentence says why one could not be told."""
        webhooks = self._project().webhooks
        if not webhooks:
            return
        from reconciler.render.notification import notification

        told = notification(plan)
        if told is None:
            return
        for webhook in webhooks:
            try:
                problem = self._deliver(webhook, told)
            except ReconcilerError as raised:
                problem = raised.summary
            if problem is not None:
                yield f"{webhook.form} in notify at {webhook.url.origin} was not told: {problem}"

    def _deliver(self, webhook: Webhook, told: Notification) -> str | None:
        from reconciler.aws.deadline import within
        from reconciler.notify.delivery import Clock, deliver
        from reconciler.render.notification import body_of

        url = self._followed(webhook.url)
        if isinstance(url, Diagnostic):
            return f"{url.summary}: {url.detail}"
        secret = None if webhook.secret is None else self._followed(webhook.secret)
        if isinstance(secret, Diagnostic):
            return f"{secret.summary}: {secret.detail}"
        if secret is not None and not secret.reveal().strip():
            return "its secret is empty"
        return deliver(
            url,
            body_of(told, webhook.form, webhook.template).encode(),
            Clock(time.monotonic, time.time, time.sleep, within),
            hosts=self._project().notify_hosts,
            secret=secret,
            only_loopback=self._embedded,
        )

    def _followed(self, written: Written) -> Secret | Diagnostic:
        return self._references.secret(written.template, written.origin, self._way())

    def _way(self) -> Way:
        from reconciler.secrets import Way

        return Way(Access(profile=self._profile()), self._region() or "")
