"""From paths to targets: discovery, layers, what the command line fills in, and what clashes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.config import layers
from reconciler.config.desired import Defaults, Loaded, load, project_root
from reconciler.config.source import Source, read_file
from reconciler.core.model import Path as SettingPath
from reconciler.core.model import Setting, Target
from reconciler.core.references import Template
from reconciler.errors import Diagnostic, Origin, Severity

HEAD = "AppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shopauth\n"
SERVICE = HEAD + "ResourceConfig: {Service: COGNITO}\n"
LENGTH: SettingPath = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
MODE: SettingPath = ("UserPoolConfigs", "Mfa", "MFAMode")
OAUTH: SettingPath = ("UserPoolConfigs", "OAuth")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "reconciler.yaml").touch()
    monkeypatch.chdir(folder)
    return folder


def write(name: str, text: str) -> str:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return name


def loaded(
    *paths: str,
    defaults: Defaults | None = None,
    resolve: bool = True,
    expand_text: Callable[[Template, Origin], str | Diagnostic] | None = None,
    environ: dict[str, str] | None = None,
) -> Loaded:
    return load(
        paths,
        defaults=defaults or Defaults(region="us-east-1"),
        environ=environ or {},
        resolve=resolve,
        expand_text=expand_text,
    )


def codes(result: Loaded) -> list[str]:
    return [found.code for found in result.diagnostics]


def setting(result: Loaded, path: SettingPath) -> Setting:
    (state,) = result.desired
    return state.settings[path]


# --- discovery


def test_a_folder_gives_its_documents_in_sorted_order_without_what_is_not_ours() -> None:
    for name in ("b.yaml", "a/z.yml", "a.json", "A/x.YAML"):
        write(name, SERVICE.replace("prod", name.replace("/", "-").replace(".", "-")))
    write(".git/x.yaml", "- no\n")
    write("a/.hidden.yaml", "- no\n")
    write("a/plan.json", '{"format_version": "1.2"}')
    write("a/ledger/runs/x/shop-prod.json", '{\n  "record_version": 1,\n  "run": "x"\n}\n')
    write("a/ledger/journal/x.json", '{\n  "open": true,\n  "record_version": 1}\n')
    write("a/ledger/journal/y.json", '{\n  "open": false,\n  "record_version": 1}\n')
    write("a/ledger/plans/x.json", '{"used": false, "run": "x", "at": "y"}\n')
    result = loaded(".")
    assert codes(result) == []
    assert [state.origin.file for state in result.desired] == ["A/x.YAML", "a/z.yml", "a.json", "b.yaml"]


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("apps/*/prod.yaml", ["apps/a/prod.yaml", "apps/b/prod.yaml"]),
        ("apps/*", ["apps/a/dev.yaml", "apps/a/prod.yaml", "apps/b/prod.yaml", "apps/c.json"]),
        ("**/[dp]*.yaml", ["apps/a/dev.yaml", "apps/a/prod.yaml", "apps/b/prod.yaml"]),
    ],
)
def test_a_glob_gives_what_a_folder_would_in_sorted_order(pattern: str, files: list[str]) -> None:
    for name in ("apps/b/prod.yaml", "apps/a/prod.yaml", "apps/a/dev.yaml", "apps/c.json"):
        write(name, SERVICE.replace("prod", name.replace("/", "-").replace(".", "-")))
    write("apps/.hidden.yaml", "- no\n")
    write("apps/plan.json", '{"format_version": "1.2"}')
    write("apps/notes.txt", "no")
    result = loaded(pattern)
    assert codes(result) == []
    assert [state.origin.file for state in result.desired] == files
    assert [state.origin.file for state in loaded(pattern, "apps").desired][: len(files)] == files


def test_a_glob_that_matches_nothing_is_told() -> None:
    (problem,) = loaded("apps/*.yaml").diagnostics
    assert (problem.code, str(problem.origin), problem.detail) == ("missing-path", "apps/*.yaml:1:1", "apps/*.yaml")


def test_a_file_with_a_name_that_looks_like_a_glob_is_that_file() -> None:
    write("a[1].yaml", SERVICE)
    assert [state.origin.file for state in loaded("a[1].yaml").desired] == ["a[1].yaml"]


@pytest.mark.parametrize("pattern", ["apps/*.yaml", "apps/*", "**/*.yaml", "apps/*/*.yaml"])
def test_a_glob_follows_no_link_out_of_the_project(tmp_path: Path, pattern: str) -> None:
    write("apps/shop/ours.yaml", SERVICE)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "theirs.yaml").write_text("secret: theirs\n")
    Path("apps/theirs.yaml").symlink_to(tmp_path / "elsewhere" / "theirs.yaml")
    Path("apps/link").symlink_to(tmp_path / "elsewhere")
    result = loaded(pattern)
    assert set(codes(result)) == {"outside-project"}
    assert "secret" not in str(result.diagnostics)


def test_a_glob_ends_where_links_go_in_circles() -> None:
    write("apps/a/one.yaml", SERVICE)
    Path("apps/a/loop").symlink_to("../../apps")
    Path("apps/b").symlink_to("../apps")
    assert [state.origin.file for state in loaded("**/*.yaml").desired] == ["apps/a/one.yaml"]


@pytest.mark.parametrize("path", ["*/auth.yaml", "*", "**/auth.yaml"])
def test_the_project_of_a_glob_is_that_of_its_first_match(project: Path, path: str) -> None:
    (project / "reconciler.yaml").unlink()
    write("b/auth.yaml", SERVICE)
    write("b/reconciler.yaml", "")
    assert project_root(path) == project / "b"


@pytest.mark.parametrize("pattern", ["apps/*.yaml", "apps/*", "apps/**/*.yaml"])
def test_a_link_that_a_glob_matches_first_chooses_no_other_project(project: Path, tmp_path: Path, pattern: str) -> None:
    (project / "reconciler.yaml").unlink()
    (project / ".git").mkdir()
    theirs = tmp_path / "theirs"
    (theirs / "apps").mkdir(parents=True)
    (theirs / "reconciler.yaml").write_text("region: eu-west-3\n")
    (theirs / "apps" / "0.yaml").write_text("password: hunter2\n")
    write("apps/a.yaml", SERVICE)
    Path("apps/0.yaml").symlink_to(theirs / "apps" / "0.yaml")
    Path("apps/0").symlink_to(theirs / "apps")
    assert project_root(pattern) == project
    result = loaded(pattern)
    assert set(codes(result)) == {"outside-project"}
    assert "hunter2" not in str(result.diagnostics)


def test_a_document_of_a_project_of_its_own_is_told_and_not_reached_in_another_way() -> None:
    write("auth.yaml", SERVICE)
    write("blog/reconciler.yaml", "region: eu-west-1\n")
    write("blog/deep/auth.yaml", SERVICE.replace("prod", "dev"))
    (problem,) = loaded(".").errors
    assert (problem.code, str(problem.origin)) == ("another-project", "blog/deep/auth.yaml:1:1")
    assert "blog/reconciler.yaml" in problem.detail
    assert codes(loaded("blog")) == []
    Path("blog/reconciler.yaml").rename("blog/reconciler.yml")
    assert codes(loaded(".")) == ["another-project"]


def test_a_file_that_is_named_twice_is_read_once() -> None:
    write("auth.yaml", SERVICE)
    assert len(loaded("auth.yaml", "./auth.yaml", ".").desired) == 1


def test_standard_input_is_a_document() -> None:
    result = load(["-"], defaults=Defaults(region="us-east-1"), environ={}, stdin=SERVICE.encode)
    assert [state.origin.file for state in result.desired] == ["<stdin>"]
    result = load(["-"], defaults=Defaults(), environ={}, stdin=lambda: b"AppId: \xff")
    assert [str(found.origin) for found in result.diagnostics] == ["<stdin>:1:8"]


def test_standard_input_may_extend_a_file_beside_it() -> None:
    write("base.yaml", "region: eu-west-1\n")
    text = SERVICE + "extends: base.yaml\n"
    result = load(["-"], defaults=Defaults(), environ={}, stdin=text.encode)
    assert [state.target.region for state in result.desired] == ["eu-west-1"]


def test_nothing_asked_for_gives_nothing() -> None:
    assert loaded() == Loaded((), ())


def test_a_path_that_leads_nowhere_is_an_error_and_the_others_are_still_read() -> None:
    write("auth.yaml", SERVICE)
    result = loaded("nowhere.yaml", "auth.yaml")
    assert codes(result) == ["missing-path"]
    assert result.errors == result.diagnostics
    assert len(result.desired) == 1


def test_problems_are_in_the_order_of_files_and_lines() -> None:
    write("z.yaml", HEAD + "x: 1\ny: 2\n")
    write("a.yaml", HEAD + "name: a\nx: 1\nextends: base.yaml\n")
    write("base.yaml", "z: 1\n")
    result = loaded("z.yaml", "nowhere", "a.yaml")
    places = [str(found.origin) for found in result.diagnostics if found.severity is Severity.ERROR]
    assert places == [
        "z.yaml:4:1", "z.yaml:5:1", "nowhere:1:1", "a.yaml:1:8", "a.yaml:5:1", "base.yaml:1:1",
    ]  # fmt: skip


def test_a_problem_shows_its_line() -> None:
    write("auth.yaml", HEAD + "ResourceConfg: {}\n")
    first = loaded("auth.yaml").errors[0]
    assert first.excerpt == "ResourceConfg: {}"
    assert first.hint == "did you mean 'ResourceConfig'?"


def test_a_key_at_the_wrong_level_is_told_where_it_belongs() -> None:
    write("auth.yaml", HEAD + "ResourceConfig: {UserPoolConfigs: {MFAMode: ON}}\n")
    assert loaded("auth.yaml").errors[0].hint == "it belongs to ResourceConfig.UserPoolConfigs.Mfa"


def test_a_key_that_is_like_no_other_is_told_which_there_are() -> None:
    write("auth.yaml", HEAD + "ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {Zzz: 1}}}\n")
    assert loaded("auth.yaml").errors[0].hint == "known here: AdditionalConstraints, MinimumLength"


# --- the project


def test_the_project_begins_at_the_nearest_project_file(project: Path) -> None:
    write("a/b/auth.yaml", SERVICE)
    assert project_root("a/b/auth.yaml") == project.resolve()
    write("a/reconciler.yaml", "")
    assert project_root("a/b/auth.yaml") == (project / "a").resolve()
    assert project_root("-") == project.resolve()


def test_without_a_project_file_it_begins_at_the_top_of_the_work_tree_or_here(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "reconciler.yaml").unlink()
    write("a/.git", "gitdir: elsewhere\n")
    write("a/b/auth.yaml", SERVICE)
    assert project_root("a/b") == (project / "a").resolve()
    monkeypatch.chdir(project / "a" / "b")
    assert project_root(str(project)) == (project / "a" / "b").resolve()


# --- layers


def test_the_last_base_wins_and_the_document_wins_over_all_and_each_leaf_keeps_its_place() -> None:
    policy = "ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {MinimumLength: %d}}}\n"
    write("one.yaml", policy % 8 + "name: never\nregion: eu-west-1\nlabels: {a: '1', b: '1'}\nallow: [x, y]\n")
    write("two.yaml", policy % 9 + "labels: {b: '2'}\nallow: [z]\n")
    write("auth.yaml", HEAD + "extends: [one.yaml, two.yaml]\nlabels: {c: '3'}\n")
    result = loaded("auth.yaml", defaults=Defaults())
    (state,) = result.desired
    assert setting(result, LENGTH) == Setting(9, Origin("two.yaml", 1, 68))
    assert state.name == "shopauth-prod"
    assert state.target.region == "eu-west-1"
    assert state.labels == {"a": "1", "b": "2", "c": "3"}
    assert state.allow == {"z"}


@pytest.mark.parametrize(
    ("inherited", "own", "wave"),
    [("", "", 0), ("wave: 2\n", "", 2), ("wave: 2\n", "wave: 0\n", 0), ("", "wave: 3.0\n", 3)],
)
def test_a_wave_is_a_whole_number_that_a_document_may_inherit(inherited: str, own: str, wave: int) -> None:
    write("base.yaml", f"ResourceConfig: {{Service: COGNITO}}\n{inherited}")
    write("auth.yaml", HEAD + f"extends: base.yaml\n{own}")
    (state,) = loaded("auth.yaml").desired
    assert (state.wave, type(state.wave)) == (wave, int)


def test_null_survives_merging_and_a_mapping_over_it_replaces_it() -> None:
    write("null.yaml", "ResourceConfig: {UserPoolConfigs: {OAuth: null}}\n")
    write("oauth.yaml", "ResourceConfig: {UserPoolConfigs: {OAuth: {DomainPrefix: shop}}}\n")
    write("auth.yaml", HEAD + "extends: [oauth.yaml, null.yaml]\n")
    assert setting(loaded("auth.yaml"), OAUTH).value is None
    write("auth.yaml", HEAD + "extends: [null.yaml, oauth.yaml]\n")
    assert setting(loaded("auth.yaml"), (*OAUTH, "DomainPrefix")).value == "shop"


def test_unmanaged_drops_what_bases_manage() -> None:
    write("base.yaml", "ResourceConfig: {UserPoolConfigs: {OAuth: {DomainPrefix: a, OAuthGrantType: CODE}}}\n")
    own = "ResourceConfig: {Service: COGNITO}\n"
    write("auth.yaml", HEAD + "extends: base.yaml\nunmanaged: [UserPoolConfigs.OAuth]\n" + own)
    result = loaded("auth.yaml")
    assert codes(result) == []
    assert list(result.desired[0].settings) == [("Service",)]


def test_a_path_that_is_written_and_called_unmanaged_is_a_contradiction() -> None:
    write("base.yaml", "ResourceConfig: {UserPoolConfigs: {Mfa: {MFAMode: OPTIONAL}}}\n")
    own = "ResourceConfig: {UserPoolConfigs: {Mfa: {MFAMode: OFF}}}\n"
    write("auth.yaml", HEAD + "extends: base.yaml\nunmanaged: [UserPoolConfigs.Mfa]\n" + own)
    result = loaded("auth.yaml")
    assert codes(result) == ["unmanaged-written"]
    assert result.desired == ()


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("ResourceConfig.Service", "did you mean 'Service'?"),
        ("UserPoolConfigs.OAuht", "did you mean 'UserPoolConfigs.OAuth'?"),
        ("zzz", ""),
    ],
)
def test_a_path_that_does_not_exist_is_answered_with_one_that_does(written: str, hint: str) -> None:
    write("auth.yaml", SERVICE + f"unmanaged: [{written}, 1]\n")
    result = loaded("auth.yaml")
    assert codes(result) == ["unknown-path", "wrong-type"]
    assert result.diagnostics[0].hint == hint


def test_a_base_is_read_and_checked_once_for_all_that_extend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    write("base/base.yaml", "ResourceConfig: {UserPoolConfigs: {ForgotPassword: {DeliveryMethod: SMS}}}\n")
    for number in range(20):
        write(f"{number:02}.yaml", HEAD.replace("prod", f"e{number}") + "extends: base/base.yaml\n")
    opened: list[str] = []

    def counting(name: str, path: Path, real: Path) -> Source | Diagnostic:
        opened.append(name)
        return read_file(name, path, real)

    monkeypatch.setattr(layers, "read_file", counting)
    result = loaded(*(f"{number:02}.yaml" for number in range(20)))
    assert codes(result) == ["deprecated"]
    assert len(result.desired) == 20
    assert opened == ["base/base.yaml"]


def test_what_targets_have_of_one_base_is_held_once() -> None:
    """Thousands that extend a base take little more memory than the base."""
    policy = "PasswordPolicy: {MinimumLength: 8, AdditionalConstraints: [REQUIRE_DIGIT]}"
    write("base.yaml", f"ResourceConfig: {{UserPoolConfigs: {{{policy}, Mfa: {{MFAMode: 'OFF'}}}}}}\n")
    own = "ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {MinimumLength: 12}}}\n"
    for environment, more in (("a", ""), ("b", ""), ("c", own)):
        write(f"{environment}.yaml", HEAD.replace("prod", environment) + "extends: base.yaml\n" + more)
    one, two, other = (state.settings for state in loaded("a.yaml", "b.yaml", "c.yaml").desired)
    assert one is two
    assert other[LENGTH] == Setting(12, Origin("c.yaml", 5, 68))
    assert [path for path in one if one[path] is not other[path]] == [LENGTH]


def test_a_base_in_the_same_folder_is_no_target_but_one_with_an_app_is() -> None:
    write("base.yaml", "labels: {team: web}\n")
    write("prod.yaml", SERVICE + "extends: base.yaml\n")
    write("dev.yaml", "BackendEnvironmentName: dev\nextends: prod.yaml\n")
    result = loaded(".")
    assert codes(result) == []
    assert [state.name for state in result.desired] == ["shopauth-dev", "shopauth-prod"]


def test_an_error_in_a_base_is_told_once_and_its_targets_are_left_out() -> None:
    write("base.yaml", "region: nowhere\n")
    write("a.yaml", SERVICE + "extends: base.yaml\n")
    write("b.yaml", SERVICE.replace("prod", "dev") + "extends: [base.yaml]\n")
    write("c.yaml", SERVICE.replace("prod", "test"))
    result = loaded("a.yaml", "b.yaml", "c.yaml", defaults=Defaults())
    assert codes(result) == ["no-region", "bad-pattern"]
    result = loaded("a.yaml", "b.yaml", "c.yaml", environ={"AWS_REGION": "us-east-1"}, defaults=Defaults())
    assert codes(result) == ["bad-pattern"]
    assert [state.name for state in result.desired] == ["shopauth-test"]


def test_a_base_that_can_not_be_read_is_told_once() -> None:
    Path("base.yaml").write_bytes(b"\xff")
    write("a.yaml", SERVICE + "extends: base.yaml\n")
    write("b.yaml", SERVICE.replace("prod", "dev") + "extends: base.yaml\n")
    assert codes(loaded("a.yaml", "b.yaml")) == ["not-utf8"]


def test_forgot_password_and_verification_message_are_compared_after_merging() -> None:
    write("base.yaml", "ResourceConfig: {UserPoolConfigs: {ForgotPassword: {DeliveryMethod: SMS}}}\n")
    own = "ResourceConfig: {UserPoolConfigs: {VerificationMessage: {DeliveryMethod: %s}}}\n"
    write("auth.yaml", HEAD + "extends: base.yaml\n" + own % "EMAIL")
    result = loaded("auth.yaml")
    assert codes(result) == ["forgot-password-differs", "deprecated"][::-1]
    assert not result.desired
    write("auth.yaml", HEAD + "extends: base.yaml\n" + own % "SMS")
    assert codes(loaded("auth.yaml")) == ["deprecated"]


def test_settings_of_a_base_that_mean_nothing_in_one_target_are_no_noise() -> None:
    write(
        "base.yaml",
        "ResourceConfig: {UserPoolConfigs: {Mfa: {MFAMode: ON, Settings: {MfaTypes: [TOTP]}}}}\n",
    )
    write("auth.yaml", HEAD + "extends: base.yaml\nResourceConfig: {UserPoolConfigs: {Mfa: {MFAMode: OFF}}}\n")
    result = loaded("auth.yaml")
    assert codes(result) == []
    assert setting(result, MODE).value == "OFF"


# --- values


def test_what_get_backend_auth_prints_as_8_0_is_the_number_8() -> None:
    write("auth.yaml", HEAD + "ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {MinimumLength: 8.0}}}\n")
    value = setting(loaded("auth.yaml"), LENGTH).value
    assert value == 8
    assert isinstance(value, int)


def test_references_stay_templates_and_escaped_ones_become_literals() -> None:
    write(
        "auth.yaml",
        HEAD + "ResourceConfig:\n  UserPoolConfigs:\n    PasswordPolicy: {MinimumLength: '${env:X}'}\n"
        "    VerificationMessage: {EmailSettings: {EmailMessage: 'Dear $${name}, {####}'}}\n",
    )
    result = loaded("auth.yaml")
    assert isinstance(setting(result, LENGTH).value, Template)
    message = setting(result, ("UserPoolConfigs", "VerificationMessage", "EmailSettings", "EmailMessage"))
    assert message.value == "Dear ${name}, {####}"


def test_a_list_keeps_the_place_of_each_item() -> None:
    write(
        "auth.yaml",
        HEAD + "ResourceConfig:\n UserPoolConfigs:\n  OAuth:\n   OAuthScopes:\n   - OPENID\n   - ${env:X}\n",
    )
    value = setting(loaded("auth.yaml"), (*OAUTH, "OAuthScopes")).value
    assert isinstance(value, tuple)
    assert [item.origin.line for item in value] == [8, 9]
    assert value[0].value == "OPENID"
    assert isinstance(value[1].value, Template)


# --- identity and options


@pytest.mark.parametrize(
    ("document", "defaults", "environ", "region"),
    [
        ("region: eu-west-1\n", Defaults(), {"AWS_REGION": "us-east-2"}, "eu-west-1"),
        ("", Defaults(region="us-west-2"), {"AWS_REGION": "us-east-2"}, "us-west-2"),
        ("", Defaults(), {"AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "us-east-1"}, "us-east-2"),
        ("", Defaults(), {"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        (
            "profile: shop\n",
            Defaults(region_of=lambda profile: "eu-north-1" if profile == "shop" else None),
            {},
            "eu-north-1",
        ),
        (
            "",
            Defaults(profile="shop", region_of=lambda profile: "eu-north-1" if profile == "shop" else None),
            {},
            "eu-north-1",
        ),
        ("", Defaults(region_of=lambda profile: None if profile else "eu-north-1"), {}, "eu-north-1"),
    ],
)
def test_the_region_is_the_documents_then_the_options_then_the_environments_then_the_profiles(
    document: str, defaults: Defaults, environ: dict[str, str], region: str
) -> None:
    write("auth.yaml", SERVICE + document)
    (state,) = loaded("auth.yaml", defaults=defaults, environ=environ).desired
    assert state.target.region == region


def test_a_profile_without_a_region_leaves_none() -> None:
    write("auth.yaml", SERVICE + "---\n" + SERVICE.replace("prod", "dev"))
    asked: list[str | None] = []

    def region_of(profile: str | None) -> None:
        asked.append(profile)

    assert codes(loaded("auth.yaml", defaults=Defaults(region_of=region_of))) == ["no-region", "no-region"]
    assert asked == [None]


def test_options_fill_what_a_document_leaves_out() -> None:
    write("auth.yaml", SERVICE + "role_arn: arn:aws:iam::123456789012:role/deploy\n")
    defaults = Defaults("us-west-2", "shop", "https://example.com")
    (state,) = loaded("auth.yaml", defaults=defaults).desired
    assert state.target == Target("d2k7example", "prod", "shopauth", "us-west-2", None, "https://example.com")
    assert state.access.profile == "shop"
    assert state.access.role_arn == "arn:aws:iam::123456789012:role/deploy"


@pytest.mark.parametrize(
    ("written", "defaults"),
    [
        ("region: us-east-1", Defaults(region="us-west-2")),
        ("profile: shop", Defaults("us-east-1", profile="other")),
        ("endpoint_url: http://localhost", Defaults("us-east-1", endpoint_url="http://localhost:1")),
    ],
)
def test_an_option_that_contradicts_the_document_is_an_error(written: str, defaults: Defaults) -> None:
    write("auth.yaml", SERVICE + written + "\n")
    result = loaded("auth.yaml", defaults=defaults)
    assert codes(result) == ["contradicts-option"]
    assert result.diagnostics[0].excerpt == written
    assert not result.desired


def test_an_option_that_agrees_with_the_document_is_fine() -> None:
    write("auth.yaml", SERVICE + "region: us-west-2\n")
    assert codes(loaded("auth.yaml", defaults=Defaults("us-west-2"))) == []


REFERENCES = (
    "name: shop-${env:RECONCILER_VAR_X}\nregion: ${env:RECONCILER_VAR_R}\nlabels: {a: '${env:RECONCILER_VAR_X}'}\n"
)


def test_references_in_the_identity_are_expanded() -> None:
    write("auth.yaml", SERVICE + REFERENCES)
    seen: list[Origin] = []

    def expand(template: Template, origin: Origin) -> str:
        seen.append(origin)
        return "eu-west-1" if "R}" in template.text else "prod"

    (state,) = loaded("auth.yaml", defaults=Defaults(), expand_text=expand).desired
    assert state.name == "prod"
    assert state.target.region == "eu-west-1"
    assert state.labels == {"a": "prod"}
    assert Origin("auth.yaml", 6, 9) in seen


def test_what_a_reference_expands_to_is_checked_like_what_is_written() -> None:
    write("auth.yaml", SERVICE + REFERENCES)
    result = loaded("auth.yaml", defaults=Defaults(), expand_text=lambda _, __: "a/b")
    assert codes(result) == ["bad-name", "bad-pattern"]
    assert not result.desired


def test_a_reference_that_can_not_be_expanded_is_an_error() -> None:
    write("auth.yaml", SERVICE + "region: ${env:RECONCILER_VAR_R}\n")
    problem = Diagnostic(Severity.ERROR, "unset-reference", "A reference has no value")
    result = loaded("auth.yaml", defaults=Defaults(), expand_text=lambda _, __: problem)
    assert result.diagnostics == (problem,)


def test_validation_leaves_references_as_they_are_and_needs_no_region() -> None:
    write("auth.yaml", SERVICE + REFERENCES)
    write("other.yaml", SERVICE.replace("prod", "dev"))
    result = loaded("auth.yaml", "other.yaml", defaults=Defaults(), resolve=False, expand_text=lambda _, __: "x")
    assert codes(result) == []
    assert [state.target.region for state in result.desired] == ["${env:RECONCILER_VAR_R}", "-"]
    result = loaded("auth.yaml", defaults=Defaults(region="us-east-1"), resolve=False)
    assert codes(result) == []


def test_a_bad_reference_in_the_identity_is_told_once() -> None:
    write("auth.yaml", SERVICE + "region: ${vault:x}\n")
    assert codes(loaded("auth.yaml", defaults=Defaults())) == ["bad-reference"]


def test_two_documents_with_the_same_environment_clash_whatever_their_resource_is_called() -> None:
    write("a.yaml", SERVICE)
    write("b.yaml", SERVICE.replace("shopauth", "other"))
    result = loaded("a.yaml", "b.yaml")
    assert codes(result) == ["duplicate-target"]
    assert result.diagnostics[0].detail == "The other is in a.yaml:1:8."
    write("b.yaml", SERVICE.replace("shopauth", "other") + "region: eu-west-1\n")
    assert codes(loaded("a.yaml", "b.yaml", defaults=Defaults(), environ={"AWS_REGION": "us-east-1"})) == []


def test_targets_that_inherit_the_same_app_clash_too() -> None:
    write("base.yaml", "AppId: d2k7example\nBackendEnvironmentName: prod\nResourceConfig: {Service: COGNITO}\n")
    write("a.yaml", "extends: base.yaml\nResourceName: a\n")
    write("b.yaml", "extends: base.yaml\nResourceName: b\n")
    assert codes(loaded("a.yaml", "b.yaml")) == ["duplicate-target"]


def test_two_documents_with_the_same_name_clash() -> None:
    write("a.yaml", "name: shop\n" + SERVICE)
    write("b.yaml", "name: shop\n" + SERVICE.replace("prod", "dev"))
    result = loaded("a.yaml", "b.yaml")
    assert [(found.code, str(found.origin)) for found in result.diagnostics] == [("duplicate-name", "b.yaml:1:7")]
    assert "a.yaml:1:7" in result.diagnostics[0].detail


def test_a_choice_of_the_wrong_type_is_one_problem() -> None:
    write("auth.yaml", HEAD + "ResourceConfig: {UserPoolConfigs: {Mfa: {MFAMode: true}}}\n")
    result = loaded("auth.yaml")
    assert codes(result) == ["wrong-type"]
    assert result.diagnostics[0].hint == "put it in quotes"


def test_an_escaped_label_is_a_label_whatever_its_key() -> None:
    write("auth.yaml", SERVICE + "labels: {Service: '$${x}'}\n")
    (state,) = loaded("auth.yaml").desired
    assert state.labels == {"Service": "${x}"}


def test_what_stands_below_an_unknown_key_is_not_judged() -> None:
    write("auth.yaml", HEAD + "Foo: {a: '$${x}', b: '${c}'}\nregion: {a: '$${x}'}\n")
    assert codes(loaded("auth.yaml", defaults=Defaults(), environ={"AWS_REGION": "x"})) == [
        "manages-nothing", "unknown-key", "wrong-type",
    ][1:]  # fmt: skip


def test_a_value_with_an_error_is_told_once_however_many_rules_it_breaks() -> None:
    write("auth.yaml", HEAD + "ResourceConfig: {UserPoolConfigs: {OAuth: {RedirectSignInURIs: ['/x#y']}}}\n")
    assert codes(loaded("auth.yaml")) == ["bad-redirect"]


def test_an_item_of_the_wrong_type_is_one_problem() -> None:
    write("auth.yaml", HEAD + "ResourceConfig: {UserPoolConfigs: {OAuth: {OAuthScopes: [OPENID, 1, 1]}}}\n")
    assert codes(loaded("auth.yaml")) == ["wrong-type", "wrong-type"]


def test_a_path_that_holds_no_document_does_not_look_like_nothing_to_do() -> None:
    write("empty.yaml", "# nothing yet\n---\n")
    write("folder/empty.yaml", "")
    write("folder/plan.json", '{"format_version": "1.2"}')
    assert codes(loaded("empty.yaml")) == ["no-documents"]
    assert codes(loaded("folder")) == ["no-documents"]
    assert codes(load_stdin := load(["-"], defaults=Defaults(), environ={})) == ["no-documents"]
    assert str(load_stdin.diagnostics[0].origin) == "<stdin>:1:1"
    write("folder/auth.yaml", SERVICE)
    assert codes(loaded("folder")) == []


def test_a_prefix_is_not_measured_against_an_environment_that_is_not_known_yet() -> None:
    head = HEAD.replace("prod", "${env:RECONCILER_VAR_ENVIRONMENT}")
    prefix = "a" * 55
    write("auth.yaml", head + f"ResourceConfig: {{UserPoolConfigs: {{OAuth: {{DomainPrefix: {prefix}}}}}}}\n")
    assert codes(loaded("auth.yaml", resolve=False)) == []
    result = loaded("auth.yaml", expand_text=lambda _, __: "production")
    assert codes(result) == ["bad-domain-prefix"]
