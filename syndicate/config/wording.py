"""What a validation error says to the person who wrote the file, instead of the validator's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, get_args, get_origin

from syndicate.config.nearest import did_you_mean
from syndicate.config.secrets import is_secret, references

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

Error: TypeAlias = Mapping[str, Any]
UNSHOWN = "a value that is not shown"
LONGEST = 60
NOUNS = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list, such as [a, b]",
    "tuple": "a list, such as [a, b]",
    "set": "a list, such as [a, b]",
    "dict": "keys with values",
    "model": "keys with values",
    "dataclass": "keys with values",
    "mapping": "keys with values",
    "time_delta": "a length of time in ISO 8601, such as PT6H",
    "datetime": "a time in ISO 8601",
    "date": "a date, such as 2025-03-10",
    "url": "a URL that starts with https://",
    "path": "a path",
    "bytes": "text",
}
_NOUN = re.compile(rf"({'|'.join(NOUNS)})_(?:type|parsing|from_float|attributes_type|instance_of)\b")
BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
}


def sentence(error: Error, got: str) -> str:
    """What is wrong with a value. `got` shows it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        return f"expected {alternatives(choices(error))}, got {got}{did_you_mean(str(error['input']), choices(error))}"
    if noun := _NOUN.match(kind):
        return f"expected {NOUNS[noun[1]]}, got {got}"
    if kind in BOUNDS:
        return f"must be {BOUNDS[kind].format(**context)}, got {got}"
    if kind in {"string_too_short", "too_short"}:
        return "must not be empty" if context["min_length"] == 1 else f"is shorter than {context['min_length']}"
    if kind in {"string_too_long", "too_long"}:
        return f"is longer than {context['max_length']}"
    if kind == "string_pattern_mismatch":
        return f"{got} does not have the form {context['pattern']}"
    return f"{got} is not accepted: {error['msg'][0].lower()}{error['msg'][1:]}"


def advice(error: Error) -> str:
    """What to do about it, where there is more to say."""
    if error["type"] == "string_type" and isinstance(error["input"], (bool, int, float)):
        return "Put the value in quotes."
    return ""


def choices(error: Error) -> list[str]:
    """The words that an enumeration has."""
    return re.findall(r"'([^']*)'", error["ctx"]["expected"]) or [str(error["ctx"]["expected"])]


def alternatives(words: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def value(found: Any, raw: Any, secret: bool) -> str:
    """A value as its author would recognise it; nothing of a secret, and of a reference only its name."""
    if isinstance(raw, str) and references(raw):
        return raw
    if secret:
        return UNSHOWN
    if found is None or isinstance(found, bool):
        return {None: "nothing", True: "true", False: "false"}[found]
    if isinstance(found, Mapping):
        return "keys with values"
    if isinstance(found, (list, tuple)):
        return "a list"
    text = repr(found)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def declared(model: type[BaseModel], path: tuple[str, ...]) -> tuple[FieldInfo | None, Any]:
    """The field at `path`, through mappings and lists (whose elements have none), and the annotation there."""
    field: FieldInfo | None = None
    here: Any = model
    for part in path:
        field = fields_of(here).get(part)
        here = field.annotation if field else item_of(here)
    return field, here


def known_keys(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """The keys that the mapping at `path` may have."""
    return list(fields_of(declared(model, path)[1]))


def holds_secret(model: type[BaseModel], path: tuple[str, ...]) -> bool:
    """Whether a key is secret by its type or by its name."""
    name = next((part for part in reversed(path) if not part.isdecimal()), "")
    return is_secret(name) or "Secret" in repr(declared(model, path)[1])


def fields_of(annotation: Any) -> dict[str, FieldInfo]:
    """The keys of a model among the alternatives of an annotation."""
    for kind in kinds(annotation):
        if fields := getattr(kind, "model_fields", None):
            return {field.alias or name: field for name, field in fields.items()}
    return {}


def item_of(annotation: Any) -> Any:
    """What a mapping or a list holds."""
    return next((get_args(kind)[-1] for kind in kinds(annotation) if get_origin(kind) in {dict, list, tuple}), None)


def kinds(annotation: Any) -> list[Any]:
    """The alternatives of an annotation."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        return [kind for part in get_args(annotation) for kind in kinds(part)]
    return kinds(get_args(annotation)[0]) if origin is Annotated else [annotation]
