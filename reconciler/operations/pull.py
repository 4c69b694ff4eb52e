"""Pull: write what is live as a document that manages exactly that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from reconciler.core.fields import FORGOT_PASSWORD
from reconciler.core.gateway import ReadGateway
from reconciler.core.model import Desired, Target
from reconciler.core.secret import Secret
from reconciler.core.tree import as_api, copied, drop, leaves, take
from reconciler.errors import NotFound, ReadFailed
from reconciler.operations.live import explain_absence, read_backend_meta, read_live


@dataclass(frozen=True, slots=True)
class Pulled:
    """What is live: the target with its resource's name, and the configuration in the API's shape, no secrets."""

    target: Target
    config: dict[str, Any]


def pull(reader: ReadGateway, wanted: Desired) -> Pulled:
    """Read one target as it is, but for the deprecated ForgotPassword.

    Live may hold it with another text than VerificationMessage, and a document may not; left out, live keeps it.

    Args:
        reader: where to read.
        wanted: what to read, and where secrets stand in its free text; an empty ``resource`` is looked up in the
            backend's meta.

    Raises:
        NotFound: there is no auth, or more than one resource and none is named.
        ServiceProblem: a read failed.
    """
    target = wanted.target
    if not target.resource:
        target = replace(target, resource=_only_resource(reader, target))
    live = read_live(reader, replace(wanted, target=target), with_meta=True)
    tree = copied(live.tree)
    drop(tree, FORGOT_PASSWORD)
    for row, value in leaves(live.tree):
        if row.secret or isinstance(value, Secret):
            take(tree, row.path)
    return Pulled(target, as_api(tree))


def _only_resource(reader: ReadGateway, target: Target) -> str:
    try:
        if reader.get_backend(target.app, target.environment).meta_config is None:
            raise ReadFailed("GetBackend returned no AmplifyMetaConfig", hint="name the auth resource with --resource")
        resources = read_backend_meta(reader, target).resources
    except NotFound:
        raise explain_absence(reader, target) from None
    match resources:
        case (only,):
            return only
        case ():
            raise explain_absence(reader, target)
        case _:
            raise NotFound(
                f"app {target.app}, environment {target.environment} has several auth resources",
                detail=", ".join(resources),
                hint="name one with --resource",
            )
