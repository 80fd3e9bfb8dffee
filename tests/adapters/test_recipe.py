"""The recipe for a new network, followed to the letter."""

import json
import re
from pathlib import Path

import pytest

import syndicate.adapters
from syndicate.testing.adapters import AdapterContract, Subject
from syndicate.testing.http import FakeNetwork, Fault, Received, Reply

RECIPE = (Path(syndicate.adapters.__file__).parent / "README.md").read_text("utf-8")
THE_FILE, THE_TEST = re.findall(r"```python\n(.*?)```", RECIPE, re.DOTALL)


class Board(FakeNetwork):
    """The notice board of the recipe."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, str] = {}

    def handle(self, request: Received) -> Reply:
        if request.headers.get("authorization") != "Bearer canary-token":
            return Reply(401)
        key = request.headers["idempotency-key"]
        self.notes.setdefault(key, json.loads(request.body)["note"])
        return Reply(201, json.dumps({"id": key, "url": f"{self.url}/notes/{key}"}).encode())


shelf = {"AdapterContract": AdapterContract, "Subject": Subject, "Board": Board, "Fault": Fault, "Reply": Reply}
shelf |= {"pytest": pytest, "__name__": "recipe"}
exec(THE_FILE + THE_TEST, shelf)

TestNoticeBoard = shelf["TestNoticeBoard"]


def test_the_recipe_names_what_is_there() -> None:
    folder = Path(syndicate.adapters.__file__).parent
    for name in re.findall(r"`(?:syndicate/)?([a-z_/]+\.py)`", RECIPE):
        assert any((place / name).exists() for place in (folder, folder.parent)), name
