"""The published schema is the catalogue's twin, and each violation has words of our own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.codes import CODES, problem
from reconciler.config.schema import AUTH, check_expanded, check_key, check_setting, schema_of, schema_text
from reconciler.core.fields import BLOCK, FIELD, Kind, Removal
from reconciler.core.model import Access, Desired, Setting, Target, Written
from reconciler.core.model import Path as SettingPath
from reconciler.core.references import Template
from reconciler.errors import Origin

ORIGIN = Origin("auth.yaml", 3, 7)
MINIMUM_LENGTH: SettingPath = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
SIGN_IN: SettingPath = ("UserPoolConfigs", "OAuth", "RedirectSignInURIs")
KINDS = {
    Kind.STRING: "string",
    Kind.CHOICE: "string",
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "integer",
    Kind.CHOICES: "array",
    Kind.URIS: "array",
}


def properties(schema: Mapping[str, Any], above: SettingPath = ()) -> Iterator[tuple[SettingPath, Mapping[str, Any]]]:
    for key, below in schema.get("properties", {}).items():
        yield (*above, key), below
        yield from properties(below, (*above, key))


def resource_properties() -> dict[SettingPath, Mapping[str, Any]]:
    return dict(properties(schema_of(AUTH)["properties"]["ResourceConfig"]))


def literal(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    first: Mapping[str, Any] = schema["anyOf"][0] if "anyOf" in schema else schema
    return first


def takes_null(schema: Mapping[str, Any]) -> bool:
    return Draft202012Validator({**schema, "$defs": schema_of(AUTH)["$defs"]}).is_valid(None)


def test_the_schema_is_valid_itself() -> None:
    Draft202012Validator.check_schema(schema_of(AUTH))


def test_the_schema_has_exactly_the_leaves_and_blocks_of_the_catalogue() -> None:
    assert set(resource_properties()) == {*FIELD, *BLOCK}


def test_every_property_is_described_in_one_line() -> None:
    for path, schema in properties(schema_of(AUTH)):
        assert schema["description"].strip(), path
        assert "\n" not in schema["description"], path
        if "items" in schema:
            assert schema["items"]["description"], path


def test_every_mapping_refuses_keys_that_it_does_not_know() -> None:
    for path, schema in properties(schema_of(AUTH)):
        if "properties" in schema:
            assert schema["additionalProperties"] is False, path


@pytest.mark.parametrize("path", FIELD, ids=".".join)
def test_a_leaf_has_the_type_the_choices_and_the_removal_of_its_row(path: SettingPath) -> None:
    row, schema = FIELD[path], resource_properties()[path]
    types = literal(schema)["type"]
    assert (types if isinstance(types, str) else types[0]) == KINDS[row.kind]
    choices = literal(schema["items"]) if row.is_set else literal(schema)
    assert tuple(choices.get("enum", ())) == row.choices
    assert takes_null(schema) == (row.removal is not None)


@pytest.mark.parametrize("path", BLOCK, ids=".".join)
def test_a_block_can_be_null_where_the_catalogue_knows_its_removal(path: SettingPath) -> None:
    assert takes_null(resource_properties()[path]) == (BLOCK[path].removal in {*Removal})


def test_a_pattern_always_says_in_words_what_it_wants() -> None:
    for path, schema in properties(schema_of(AUTH)):
        for rule in (literal(schema), literal(schema.get("items", {"type": "null"}))):
            assert ("pattern" in rule) == ("patternErrorMessage" in rule), path


def test_in_a_wheel_the_schema_is_part_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "auth.schema.json").write_text("{}")
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    assert schema_text("auth") == "{}"


def test_a_schema_that_is_not_shipped_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        schema_text("nothing")


@pytest.mark.parametrize(
    ("path", "value", "codes"),
    [
        (MINIMUM_LENGTH, 8, []),
        (MINIMUM_LENGTH, 3, ["out-of-range"]),
        (MINIMUM_LENGTH, "${x", ["wrong-type"]),
        (SIGN_IN, "https://shop.example.com/", []),
        (SIGN_IN, "http://shop.example.com/", ["bad-redirect"]),
        (SIGN_IN, "${env:X}", ["bad-redirect"]),
        (("UserPoolConfigs", "OAuth", "OAuthScopes"), "OPNID", ["not-allowed-value"]),
        (("UserPoolConfigs", "OAuth"), None, []),
        (("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google", "ClientSecret"), "x", []),
    ],
)
def test_one_value_can_be_checked_after_its_references_are_expanded(
    path: SettingPath, value: str | int | None, codes: list[str]
) -> None:
    found = check_setting(path, value, ORIGIN)
    assert [one.code for one in found] == codes
    assert all(one.origin == ORIGIN for one in found)


def test_a_top_level_value_and_a_label_can_be_checked_too() -> None:
    assert [found.code for found in check_key("region", "nowhere", ORIGIN)] == ["bad-pattern"]
    assert [found.code for found in check_key("name", "a\n", ORIGIN)] == ["control-character"]


def test_only_what_was_a_reference_is_checked_again() -> None:
    template = Template("${env:RECONCILER_VAR_X}", ())
    target = Target("app", "prod", "auth", "us-east-1")

    def state(length: Written, uri: Written) -> Desired:
        uris = (Setting("http://first.example.com/", ORIGIN), Setting(uri, ORIGIN))
        settings = {
            MINIMUM_LENGTH: Setting(length, ORIGIN),
            SIGN_IN: Setting(uris, ORIGIN),
            ("Service",): Setting("WRONG", ORIGIN),
        }
        return Desired("shop", target, Access(), settings, ORIGIN)

    found = check_expanded(state(template, template), state(3, "http://shop.example.com/"))
    assert [(one.code, one.target) for one in found] == [
        ("out-of-range", "shop"),
        ("bad-redirect", "shop"),
        ("bad-redirect", "shop"),
    ]
    assert not check_expanded(state(template, template), state(template, template))


def test_a_code_that_is_not_in_the_table_can_not_be_used() -> None:
    with pytest.raises(KeyError):
        problem("no-such-code", None)
    assert all(summary and "\n" not in summary for summary in CODES.values())


def test_a_list_that_was_expanded_in_part_is_checked_as_far_as_it_is_known() -> None:
    template = Template("${env:RECONCILER_VAR_X}", ())
    target = Target("app", "prod", "auth", "us-east-1")

    def state(*uris: str | Template) -> Desired:
        settings = {SIGN_IN: Setting(tuple(Setting(uri, ORIGIN) for uri in uris), ORIGIN)}
        return Desired("shop", target, Access(), settings, ORIGIN)

    found = check_expanded(state(template, template), state(template, "http://shop.example.com/"))
    assert [one.code for one in found] == ["bad-redirect"]
