"""A project of one's own for each schedule: a document, secrets that are found again, and what live must become."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.emulator import EMULATOR_ACCESS_KEY, EMULATOR_REGION, EMULATOR_SECRET_KEY
from reconciler.emulator.faults import PLANTED_JOB_SECRET
from tests.e2e.conftest import configuration
from tests.faults.canary import canary

ENVIRONMENT = "prod"
RESOURCE = "shopauth"
_SHORT, _LONG = 8, 12


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a document and an environment of its own.

    Attributes:
        app: The app id, which no other project has.
        folder: Holds everything that its runs write.
        variables: The runs' whole environment.
        secrets: What must be in no byte below the folder.
        before: What is live.
        asked: What the document makes of it.
    """

    app: str
    folder: Path
    variables: Mapping[str, str]
    secrets: tuple[str, ...]
    before: Mapping[str, Any]
    asked: Mapping[str, Any]

    @property
    def root(self) -> Path:
        """The folder that the runs are in."""
        return self.folder / "project"

    @property
    def document(self) -> Path:
        """The document."""
        return self.root / "auth.yaml"


def make_project(folder: Path, app: str, name: str) -> Project:
    """Make a project, named for what happens to it, in a new folder."""
    for made in ("project", "home", "temporary"):
        (folder / made).mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n", encoding="utf-8")
    old, new = canary(f"{name}, before"), canary(f"{name}, asked")
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "temporary"),
        "GIT_CEILING_DIRECTORIES": str(folder),
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATOR_SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SHOP_GOOGLE_CLIENT_SECRET": new,
    }
    secrets = (old, new, PLANTED_JOB_SECRET)
    project = Project(app, folder, variables, secrets, _configuration(_SHORT, old), _configuration(_LONG, new))
    project.document.write_text(_document(app), encoding="utf-8")
    return project


def _configuration(length: int, secret: str) -> dict[str, Any]:
    config = configuration()
    pool = config["UserPoolConfigs"]
    del pool["ForgotPassword"]  # deprecated, and in no update: a service that wipes what is left out wipes it
    pool["PasswordPolicy"]["MinimumLength"] = length
    pool["OAuth"]["SocialProviderSettings"] = {"Google": {"ClientId": "google-1", "ClientSecret": secret}}
    return config


def _document(app: str) -> str:
    google = {"ClientId": "google-1", "ClientSecret": "${env:SHOP_GOOGLE_CLIENT_SECRET}"}
    pool = {"PasswordPolicy": {"MinimumLength": _LONG}, "OAuth": {"SocialProviderSettings": {"Google": google}}}
    written = {
        "name": "shop",
        "region": EMULATOR_REGION,
        "AppId": app,
        "BackendEnvironmentName": ENVIRONMENT,
        "ResourceName": RESOURCE,
        "ResourceConfig": {"UserPoolConfigs": pool},
    }
    return json.dumps(written, indent=2)
