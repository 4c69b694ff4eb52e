"""Lets all sessions of a process share what they read of botocore's models.

botocore reads them again for each session: files of up to a megabyte, and the names of all services. Tests make
thousands of sessions, and what they read changes only with a release of botocore.
"""

from __future__ import annotations

import functools

import botocore.session
from botocore.loaders import Loader, create_loader

_read_once = functools.cache(create_loader)


def share_service_models() -> None:
    """Have one loader, which keeps what it has read, for each setting of where models are looked for."""
    botocore.session.create_loader = _shared


def _shared(search_path_string: str | None = None) -> Loader:
    loader = _read_once(search_path_string)
    # boto3 adds its own place for each session.
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    return loader
