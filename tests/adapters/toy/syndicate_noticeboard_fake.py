import json

from syndicate.testing.http import FakeNetwork, Reply


class Board(FakeNetwork):
    """A notice board that takes each key once."""

    def __init__(self):
        super().__init__()
        self.notes = {}

    def lead(self, options):
        return {**options, "url": self.url, "token": "canary-token"}

    def handle(self, request):
        if request.headers.get("authorization") != "Bearer canary-token":
            return Reply(401)
        key = request.headers["idempotency-key"]
        self.notes.setdefault(key, json.loads(request.body)["note"])
        number = str(1 + list(self.notes).index(key))
        return Reply(201, json.dumps({"id": number, "url": f"{self.url}/notes/{number}"}).encode())
