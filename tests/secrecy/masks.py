"""Every mask that there is, how to take it off, and the scenario in which a secret shows once it is off."""

from __future__ import annotations

import contextlib
import importlib
import logging
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

import reconciler
from reconciler.aws import amplify, errors
from reconciler.config import masking, schema, violations
from reconciler.config.rules import Finding
from reconciler.config.source import Source
from reconciler.core import meta, normalise, planrecord, proof, references, targetplan, transcript
from reconciler.core.model import Action, Change, Mark, Setting
from reconciler.core.proof import Key
from reconciler.core.secret import Secret
from reconciler.core.tree import copied, leaves, put
from reconciler.errors import ReadFailed
from reconciler.ledger import recordfile
from reconciler.operations import discreet, pull, verify
from reconciler.secrets.local import Local
from reconciler.secrets.resolver import Resolver
from reconciler.wiring.references import References

# A module that is first imported while a mask is off would keep what stands in its place.
for _module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)

Patch = pytest.MonkeyPatch
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class Mask:
    """One mask.

    Attributes:
        name: What it is.
        remove: Lets through, in clear, what it stands before.
        scenario: In which something is betrayed then.
        behind: The masks that hold when this one does not: it is seen only once they are off as well.
    """

    name: str
    remove: Callable[[Patch], None]
    scenario: str
    behind: tuple[str, ...] = ()


def clear(value: Any) -> Any:
    """A secret as it is; anything else too."""
    return value.reveal() if isinstance(value, Secret) else value


def everywhere(function: Any, other: Any) -> Callable[[Patch], None]:
    """Put something in a function's place, wherever a module has imported it."""

    def remove(patch: Patch) -> None:
        found = [
            (module, name)
            for module in list(sys.modules.values())
            if module.__name__.startswith("reconciler")
            for name, value in vars(module).items()
            if value is function
        ]
        assert found
        for module, name in found:
            patch.setattr(module, name, other)

    return remove


def instead(owner: Any, name: str, other: Any) -> Callable[[Patch], None]:
    """Put something in the place of one attribute."""
    return lambda patch: patch.setattr(owner, name, other)


def without(owner: Any, name: str) -> Callable[[Patch], None]:
    """Take one attribute away."""
    return lambda patch: patch.delattr(owner, name)


# --- as the program would be without each ------------------------------------------------------


def _clear_states(tree: Any) -> Any:
    shown = copied(tree)
    for row, value in leaves(tree):
        put(shown, row.path, clear(value))
    return shown


def _clear_settings(desired: Any) -> Any:
    settings = {path: Setting(clear(one.value), one.origin) for path, one in desired.settings.items()}
    return replace(desired, settings=settings)


_put_secrets = normalise._put_secrets


def _put_clear_secrets(tree: Any, source: Any) -> None:
    _put_secrets(tree, source)
    for row, value in leaves(tree):
        if row.secret:
            put(tree, row.path, clear(value))


def _stable(value: Any) -> Any:
    return {key: _stable(below) for key, below in value.items()} if isinstance(value, dict) else value


def _shown(_difference: Any, value: Any) -> str:
    return str(clear(value))


def _quoting(error: Any, below: Any = ()) -> Iterator[Any]:
    yield (*below, *error.absolute_path), Finding("wrong-type", error.message)


def _all_whole(text: str, forms: Any) -> str:
    for form in filter(None, forms):
        text = text.replace(form, "****")
    return text


def _forms_of_whole(secret: str) -> Iterator[str]:
    yield from (secret, *transcript._escaped(secret))


def _unremembered(self: Any, value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _unremembered(self, below) for key, below in value.items()}
        case _:
            return clear(value)


def _lenient_change(data: Any) -> Change:
    before, after = (Mark[end["mark"]] if isinstance(end, dict) else end for end in (data["before"], data["after"]))
    return Change(tuple(data["path"]), Action(data["action"]), before, after)


def _lenient_setting(data: Any) -> Any:
    return tuple(data["path"]), Setting(data["value"], planrecord._need_place(data["origin"]))


def _without_likeness(patch: Patch) -> None:
    patch.setattr(masking, "_ALIKE", 2)
    everywhere(masking.is_secret_key, masking.is_secret_key.__wrapped__)(patch)  # it remembers what it said


def _everybody(_show: Any) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG)


def _said_of_hidden(path: Any, secret: Secret, origin: Any) -> Any:
    return schema.check_setting(path, secret.reveal(), origin)


def _read_problem(problem: Exception, operation: str, _secrets: Any = ()) -> ReadFailed:
    return ReadFailed(f"{operation} failed: {problem}")


def _fetch_problem(problem: Exception, operation: str, _permission: str) -> ReadFailed:
    return ReadFailed(f"{operation} failed: {problem}")


def _same(value: Any, *_more: Any) -> Any:
    return value


def _none_of_them(*_arguments: Any, **_more: Any) -> frozenset[Any]:
    return frozenset()


def _nothing(*_arguments: Any) -> Any:
    return ()


MASKS = (
    # what a secret shows of itself
    Mask("Secret.__repr__", instead(Secret, "__repr__", Secret.reveal), "printed"),
    Mask("Secret.__str__", instead(Secret, "__str__", Secret.reveal), "printed"),
    Mask("Secret.__format__", instead(Secret, "__format__", lambda self, _: self.reveal()), "printed"),
    Mask("Secret.__reduce__", without(Secret, "__reduce__"), "printed"),
    Mask("Key.__repr__", instead(Key, "__repr__", lambda self: str(self._bytes)), "printed"),
    Mask("Key.__reduce__", without(Key, "__reduce__"), "printed"),
    Mask("Resolver.__repr__", instead(Resolver, "__repr__", lambda self: repr(self.environ)), "printed"),
    Mask("Local.__repr__", instead(Local, "__repr__", lambda self: repr(self.environ)), "printed"),
    # what a plan and a record hold
    Mask("states", everywhere(targetplan.states, _clear_states), "added and removed"),
    Mask("changes", instead(targetplan, "_shown", clear), "added and removed"),
    Mask("desired", instead(targetplan, "_without_secrets", _clear_settings), "added and removed"),
    Mask("live secrets", instead(normalise, "_put_secrets", _put_clear_secrets), "added and removed"),
    Mask("hidden places", everywhere(normalise.hidden_places, lambda _: frozenset()), "a hidden text moved"),
    Mask("places that hid", everywhere(proof.hidden_after, _none_of_them), "a hidden text hides no more"),
    Mask("defaults", instead(references.Template, "tells", property(lambda _: False)), "in clear, a default"),
    Mask("sealed meta", everywhere(meta.sealed, _same), "under way"),
    Mask("meta without secrets", instead(meta, "_stable", _stable), "printed"),
    Mask("fingerprints", instead(recordfile, "_plan_body", planrecord.write_target), "bound"),
    Mask("changes that are read", instead(planrecord, "_read_change", _lenient_change), "in the ledger"),
    Mask("settings that are read", instead(planrecord, "_read_setting", _lenient_setting), "in the ledger"),
    Mask("pulled secrets", instead(pull, "leaves", _nothing), "pulled", behind=("Secret.__str__",)),
    # what is told of an outcome
    Mask("findings", instead(verify, "_shown", _shown), "a secret moved"),
    Mask("reasons of others", everywhere(discreet.without_reason, _same), "resumed"),
    Mask("faults of others", everywhere(discreet.quietly, contextlib.nullcontext), "resumed, error"),
    Mask("whether others carried", everywhere(discreet.carried_secrets, lambda _: False), "resumed"),
    # what the service says
    Mask("reasons of jobs", instead(amplify, "reason", _same), "job quotes as it is"),
    Mask("reasons of refusals", instead(errors, "reason", _same), "refused with 400"),
    Mask("codes of refusals", instead(errors, "_known_code", errors._code), "refused under a code"),
    Mask("faults of botocore", everywhere(errors.read_problem, _read_problem), "a token with a line end"),
    Mask("refusals of stores", everywhere(errors.fetch_problem, _fetch_problem), "stores that say too much"),
    Mask("secrets that were read", instead(amplify.Reader, "_remember", _nothing), "job quotes as it is"),
    Mask("secrets that were resolved", instead(References, "_note", _nothing), "GetBackendAuth quotes"),
    Mask(
        "secrets that were sent",
        instead(amplify.Writer, "_revealed", _unremembered),
        "job quotes as it is",
        behind=("secrets that were resolved",),
    ),
    Mask("known secrets", instead(transcript, "_forms", _nothing), "job quotes as it is"),
    Mask("their lines", instead(transcript, "_forms", _forms_of_whole), "job quotes by its last line"),
    Mask("their escapes", instead(transcript, "_escaped", _nothing), "job quotes as JSON in JSON"),
    Mask("their base64", instead(transcript, "_base64", _nothing), "job quotes in base64"),
    Mask("with white space in them", instead(transcript, "_without", _all_whole), "job quotes in a frame"),
    Mask("with drawing in them", instead(transcript, "_NOISE", _NEVER), "job quotes in a frame"),
    Mask("with colours in them", instead(transcript, "_ANSI", _NEVER), "job quotes in colours"),
    Mask("keys in a frame", instead(transcript, "_PEM", _NEVER), "job quotes strangers"),
    Mask("secrets by name", instead(transcript, "_NAMED_SECRET", _NEVER), "job quotes strangers"),
    Mask("secrets by shape", instead(transcript, "_SHAPED_SECRET", _NEVER), "job quotes strangers"),
    Mask("logs of others", instead(sys.modules["reconciler.cli.run"], "_log", _everybody), "added and removed"),
    # what is told of a document
    Mask("words of jsonschema", everywhere(violations.findings_of, _quoting), "in clear, a list"),
    Mask("rules of hidden text", instead(schema, "_check_hidden", _said_of_hidden), "a hidden text breaks a rule"),
    Mask("lines", everywhere(masking.masked_lines, lambda lines, _=(): list(lines)), "in clear, a misspelt key"),
    Mask("lines by their text", instead(masking, "_mask_by_text", _same), "in clear, an open quote"),
    Mask("lines by what was read", instead(Source, "hide", _nothing), "in clear, items"),
    Mask("misspelt keys", _without_likeness, "in clear, a misspelt key"),
    Mask("aliases", instead(masking, "_aliases_of_secrets", _nothing), "in clear, an alias behind what is wrong"),
    Mask("more lines", instead(masking, "_continues", lambda *_: False), "in clear, several lines, broken"),
    Mask("open quotes", instead(masking, "_open_quote", lambda _: ""), "in clear, a quote over lines, broken"),
    Mask("defaults in lines", instead(masking, "_DEFAULT", _NEVER), "in clear, a default behind what is wrong"),
    Mask("unknown keys", instead(violations, "masked_lines", _same), "in clear, flow style without a space"),
)
BY_NAME: Mapping[str, Mask] = {mask.name: mask for mask in MASKS}
