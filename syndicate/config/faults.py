"""Values against a model: every mistake as a `Problem` at its place in the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from syndicate.config import wording
from syndicate.config.document import Document, KeyPath
from syndicate.config.nearest import did_you_mean
from syndicate.config.secrets import is_reference, is_secret, references, walk
from syndicate.model import Problem, Severity

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


def validated(
    model: type[M], data: Mapping[str, Any], where: KeyPath, document: Document
) -> tuple[M | None, list[Problem]]:
    """The model's instance, or None, and what is wrong with the data, which stand at `where` in the document."""
    found: M | None = None
    faults: list[wording.Error] = list(truth_values(model, data))
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        faults += error.errors(include_url=False)
    problems = [problem(model, fault, where, document) for fault in faults]
    return (None if faults else found), one_for_each_place(problems)


def one_for_each_place(problems: list[Problem]) -> list[Problem]:
    """A value that fits none of several types has one mistake, not one for each type: the first is kept."""
    found: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        subject = problem.message.partition(":")[0] if problem.code == "config.value" else problem.message
        found.setdefault((problem.where, subject), problem)
    return list(found.values())


def truth_values(model: type[BaseModel], data: Mapping[str, Any]) -> Iterator[wording.Error]:
    """`port: true`, which the validator would take for 1."""
    for path, value in walk(data):
        kinds = wording.kinds(wording.declared(model, path)[1])
        if isinstance(value, bool) and {int, float} & set(kinds) and bool not in kinds:
            yield {"type": "int_type" if int in kinds else "float_type", "loc": path, "input": value}


def problem(model: type[BaseModel], fault: wording.Error, where: KeyPath, document: Document) -> Problem:
    """One error of the validator in our words, at its place."""
    inner = tuple(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return unknown_key(model, inner, where, document)
    if fault["type"] == "missing":
        return missing_key(model, inner, where, document)
    at_key = inner[-1:] == ("[key]",)
    path = existing(where + inner, where, document)
    return document.problem(
        path, complaint(model, fault, path, where, document), at_key=at_key, hint=wording.advice(fault)
    )


def complaint(model: type[BaseModel], fault: wording.Error, path: KeyPath, where: KeyPath, document: Document) -> str:
    """What is wrong with a value. Nothing of a secret gets into it, not even by a validator that quotes its input."""
    raw = document.raw(path)
    secret = wording.holds_secret(model, path[len(where) :])
    text = wording.sentence(fault, wording.value(fault["input"], raw, secret))
    if secret or (isinstance(raw, str) and references(raw)):
        text = text.replace(repr(fault["input"]), wording.UNSHOWN).replace(str(fault["input"]), wording.UNSHOWN)
    return text


def unknown_key(model: type[BaseModel], inner: KeyPath, where: KeyPath, document: Document) -> Problem:
    """A key that nobody declared, with the one that was probably meant."""
    known = wording.known_keys(model, inner[:-1])
    near = did_you_mean(inner[-1], known)
    hint = "" if near else f"Known keys: {', '.join(known)}."
    found = document.problem((where + inner)[:-1], f"unknown key '{inner[-1]}'{near}", hint=hint, code="config.key")
    line, column = document.key_position(where + inner)
    return replace(found, line=line, column=column)


def missing_key(model: type[BaseModel], inner: KeyPath, where: KeyPath, document: Document) -> Problem:
    """A key without which the rest means nothing."""
    field, _ = wording.declared(model, inner)
    hint = f"{inner[-1]}: {field.description}." if field and field.description else ""
    message = f"the key '{inner[-1]}' is missing"
    return document.problem((where + inner)[:-1], message, at_key=True, hint=hint, code="config.missing")


def literal_secrets(data: Any, where: KeyPath, document: Document) -> Iterator[Problem]:
    """Options that are named like secrets, and hold one."""
    for inner, value in walk(data):
        name = next((part for part in reversed(inner) if not part.isdecimal()), "")
        if is_secret(name) and value not in {None, ""} and not is_reference(value):
            yield literal_secret(where + inner, document)


def declared_secrets(model: type[BaseModel], where: KeyPath, document: Document) -> Iterator[Problem]:
    """Options that the adapter declares as secrets under other names, and that hold one in the file."""
    for inner, value in walk(document.raw(where)):
        if wording.holds_secret(model, inner) and not is_secret(inner[-1]) and not is_reference(value) and value:
            yield literal_secret(where + inner, document)


def literal_secret(path: KeyPath, document: Document) -> Problem:
    """The warning for one secret, which does not show it."""
    variable = "_".join(path[-2:]).upper().replace("-", "_")
    hint = f'Write a reference in its place: "${{env:{variable}}}", "${{file:…}}" or "${{keyring:…}}".'
    message = "a secret stands in the file, where others may read it"
    return document.problem(path, message, Severity.WARNING, hint=hint, code="config.literal-secret")


def existing(path: KeyPath, where: KeyPath, document: Document) -> KeyPath:
    """The path as far as the file has it: the validator adds names of its own, such as those of alternatives."""
    while len(path) > len(where) and path not in document.values:
        path = path[:-1]
    return path
