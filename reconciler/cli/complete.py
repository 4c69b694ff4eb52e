"""Shell completion of target names, from the documents that the command line already names."""

from __future__ import annotations

import os

import typer


def target_names(context: typer.Context, incomplete: str) -> list[str]:
    """Names of targets that begin so; documents with problems are passed over in silence."""
    from reconciler.config.desired import Defaults, load

    paths = context.params.get("paths") or ["."]
    loaded = load(paths, defaults=Defaults(), environ=os.environ, resolve=False)
    return [desired.name for desired in loaded.desired if desired.name.startswith(incomplete)]
