"""Read one target's live configuration, and as much of the backend's meta as it takes to understand it."""

from __future__ import annotations

import shlex
from dataclasses import replace

from reconciler.core.fields import DOMAIN_PREFIX
from reconciler.core.gateway import Backend, ReadGateway
from reconciler.core.meta import MetaUnreadable, read_meta
from reconciler.core.model import EMBEDDED, Desired, Live, Meta, Target
from reconciler.core.normalise import Misshapen, domain_in_doubt, hidden_places, live_tree, settle_domain
from reconciler.core.planfile import fingerprint
from reconciler.core.tree import copied, get, put
from reconciler.errors import NotFound, ReadFailed, ServiceProblem


def read_live(reader: ReadGateway, desired: Desired, *, with_meta: bool) -> Live:
    """The target's live configuration, canonical.

    Args:
        reader: where to read.
        desired: what to read, and where secrets stand in it.
        with_meta: whether the backend's meta is wanted; it is read too when the domain prefix is in doubt.

    Raises:
        NotFound: the app, environment or auth does not exist; says what does, and how to create it.
        ServiceProblem: a read failed.
    """
    target, hidden = desired.target, hidden_places(desired)
    try:
        tree = live_tree(reader.get_auth(target, hidden), hidden)
    except Misshapen as problem:
        raise ReadFailed(f"GetBackendAuth failed: {problem}", hint="try again") from None
    except NotFound:
        raise explain_absence(reader, target) from None
    except ReadFailed as problem:
        raise _absent_after_all(reader, target) or problem from None
    read = get(tree, DOMAIN_PREFIX)
    live = Live(tree, fingerprint(tree), domain_read=read if isinstance(read, str) else None)
    doubtful = domain_in_doubt(tree, target.environment)
    if with_meta or doubtful:
        meta = read_backend_meta(reader, target)
        live = replace(live, meta=meta)
        if doubtful:
            prefix, settled = settle_domain(str(read), target.environment, meta.hosted_domain)
            tree = copied(tree)
            put(tree, DOMAIN_PREFIX, prefix)
            live = replace(live, tree=tree, fingerprint=fingerprint(tree), domain_settled=settled)
    return live


def with_meta(reader: ReadGateway, target: Target, live: Live) -> Live:
    """The same live configuration with the backend's meta."""
    return live if live.meta is not None else replace(live, meta=read_backend_meta(reader, target))


def read_backend_meta(reader: ReadGateway, target: Target) -> Meta:
    """The meta of the target's environment; where there is none, nobody can tell what an update would clear."""
    backend = reader.get_backend(target.app, target.environment)
    if backend.meta_config is None:
        unseen = ("settings that nobody can see, because GetBackend returned no AmplifyMetaConfig",)
        return Meta(resources=(), imported=False, hosted_domain=None, unseen=unseen, auth={})
    try:
        return read_meta(backend.meta_config)
    except MetaUnreadable as problem:
        raise ReadFailed(f"GetBackend failed: {problem}", hint="try again") from None


def _absent_after_all(reader: ReadGateway, target: Target) -> ServiceProblem | None:
    """A read that failed is "no auth" only when the meta says that there is none."""
    try:
        backend = reader.get_backend(target.app, target.environment)
        if backend.meta_config is None or read_meta(backend.meta_config).resources:
            return None
    except (ServiceProblem, MetaUnreadable):
        return None
    return _no_auth(target, backend, ())


def explain_absence(reader: ReadGateway, target: Target) -> ServiceProblem:
    """Say what was looked for, what exists, and the command that would create it."""
    try:
        app = reader.get_backend(target.app, None)
    except NotFound:
        create = _command("create-backend", target, "--app-name", "NAME")
        return NotFound(
            f"there is no Amplify backend for app {target.app} in {target.region}",
            hint=_seed(target) or f"look at AppId, region and credentials, or create it: {create}",
        )
    except ServiceProblem as problem:
        return problem
    if app.environments and target.environment not in app.environments:
        return NotFound(
            f"app {target.app} has no backend environment {target.environment}",
            detail=f"it has {', '.join(app.environments)}",
            hint=_seed(target)
            or f"look at BackendEnvironmentName, or create it: {_clone(target, app.environments[0])}",
        )
    try:
        backend = reader.get_backend(target.app, target.environment)
        resources = read_meta(backend.meta_config).resources if backend.meta_config else ()
    except (ServiceProblem, MetaUnreadable):
        backend, resources = app, ()
    return _no_auth(target, backend, resources)


def _no_auth(target: Target, backend: Backend, resources: tuple[str, ...]) -> NotFound:
    named = f" {target.resource}" if target.resource else ""
    there = f"the auth there is named {', '.join(resources)}" if resources else "there is no auth in this environment"
    known = f"; environments of the app: {', '.join(backend.environments)}" if backend.environments else ""
    create = _command(
        "create-backend-auth",
        target,
        "--resource-name",
        target.resource or "NAME",
        "--resource-config",
        "file://auth.json",
    )
    return NotFound(
        f"app {target.app}, environment {target.environment} has no auth resource{named}",
        detail=there + known,
        hint="look at ResourceName" if resources else _seed(target) or f"create it: {create}",
    )


def _seed(target: Target) -> str:
    """How to put something into the embedded backend, which no command of AWS creates anything in; else nothing."""
    return "put it in with: reconciler emulator seed PATH" if target.endpoint == EMBEDDED else ""


def _clone(target: Target, source: str) -> str:
    words = ["aws", "amplifybackend", "clone-backend", "--app-id", target.app, "--backend-environment-name", source]
    return shlex.join([*words, "--target-environment-name", target.environment, "--region", target.region])


def _command(operation: str, target: Target, *more: str) -> str:
    words = ["aws", "amplifybackend", operation, "--app-id", target.app]
    environment = ["--backend-environment-name", target.environment]
    return shlex.join([*words, *environment, "--region", target.region, *more])
