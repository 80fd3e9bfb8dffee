"""`config show` and `config schema`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from syndicate.config.document import read
from syndicate.config.load import Loaded, load
from syndicate.config.schema import json_schema
from syndicate.config.show import as_document, as_yaml
from tests.config.conftest import Write

Changed = Callable[..., Loaded]


def test_what_is_shown_loads_again_and_means_the_same(write: Write, starter: str) -> None:
    settings = load(write(starter), cache=False).settings
    assert settings is not None
    again = load(write(as_yaml(settings)), cache=False)
    assert again.problems == ()
    assert again.settings == settings


def test_a_thread_is_shown_as_it_was_asked_for(changed: Changed, write: Write) -> None:
    settings = changed(("template: linkedin", "template: mastodon\n    thread: 6\n    numbered: true")).settings
    assert settings is not None
    assert (settings.channels["linkedin"].thread, settings.channels["linkedin"].numbered) == (6, True)
    assert load(write(as_yaml(settings)), cache=False).settings == settings


def test_every_default_is_shown(write: Write, starter: str) -> None:
    settings = load(write(starter.replace("schedule:", "# schedule:")), cache=False).settings
    assert settings is not None
    shown = as_document(settings)
    assert shown["templates"] == "templates"
    assert shown["secret"] == "${file:var/secret}"
    assert shown["channels"]["linkedin"]["unknown"] == "hold"
    assert shown["channels"]["linkedin"]["schedule"] is None
    assert "schedule" not in as_yaml(settings)


def test_no_secret_is_shown(changed: Changed) -> None:
    settings = changed(
        ("{adapter: file,", '{adapter: file, api_key: hunter2, token: "${env:T}",'),
        ("sqlite:///var/syndicate.db", "postgresql://u:hunter2@h/db"),
        ("mode:", "secret: hunter2-hunter2-hunter2\nmode:"),
    ).settings
    assert settings is not None
    text = as_yaml(settings)
    assert "hunter2" not in text
    assert "hunter2" not in str(as_document(settings))
    assert "token: ${env:T}" in text
    assert "postgresql://u:***@h/db" in text


def parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema and each of its definitions."""
    yield "the file", schema
    yield from schema["$defs"].items()


def test_every_key_is_described() -> None:
    bare = [
        f"{name}.{key}"
        for name, part in parts(json_schema())
        for key, about in part["properties"].items()
        if not about.get("description")
    ]
    assert bare == []


def test_only_an_account_and_a_webhook_may_have_keys_of_their_own() -> None:
    open_ones = [name for name, part in parts(json_schema()) if part["additionalProperties"]]
    assert open_ones == ["Account", "Webhook"]


PYTHON = {"string": str, "integer": int, "object": dict, "array": list, "null": type(None), "boolean": bool}


def faults(value: Any, schema: dict[str, Any], all_of_it: dict[str, Any], where: str = "") -> Iterator[str]:
    """Where a value breaks a schema, as far as ours use the language."""
    if reference := schema.get("$ref"):
        schema = all_of_it["$defs"][reference.removeprefix("#/$defs/")]
    if choices := schema.get("anyOf"):
        if all(list(faults(value, choice, all_of_it)) for choice in choices):
            yield f"{where} fits nothing"
        return
    if not isinstance(value, PYTHON[schema["type"]]) or value not in schema.get("enum", [value]):
        yield f"{where} is {value!r}"
        return
    if isinstance(value, dict):
        yield from faults_of_keys(value, schema, all_of_it, where)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(item, schema["items"], all_of_it, f"{where}[{number}]")


def faults_of_keys(value: Any, schema: dict[str, Any], all_of_it: dict[str, Any], where: str) -> Iterator[str]:
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    yield from (f"{where} lacks {key}" for key in schema.get("required", ()) if key not in value)
    for key, item in value.items():
        if key in known or isinstance(rest, dict):
            yield from faults(item, known.get(key, rest), all_of_it, f"{where}.{key}")
        elif rest is not True:
            yield f"{where}.{key} is not known"


def test_the_starter_and_what_is_shown_of_it_conform_to_the_schema(root: Path, starter: str) -> None:
    schema = json_schema()
    assert list(faults(read(starter, "").data, schema, schema)) == []
    settings = load(root / "config" / "syndicate.yaml", cache=False).settings
    assert settings is not None
    assert list(faults(as_document(settings), schema, schema)) == []


def test_the_schema_refuses_what_the_loader_refuses(starter: str) -> None:
    schema = json_schema()
    for old, new in [("template:", "templte:"), ("kind: digest", "kind: digset"), ("mode: rehearsal", "mode: [live]")]:
        assert list(faults(read(starter.replace(old, new), "").data, schema, schema))


def test_an_editor_knows_which_language_the_schema_is_in() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Syndicate configuration"
