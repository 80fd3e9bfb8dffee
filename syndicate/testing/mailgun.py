"""A Mailgun: our own message, or parts with variables that it fills in; an id for the call alone."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes, policy
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from syndicate.testing.http import Received, Reply
from syndicate.testing.providers import KEY, MARK, FakeProvider, Taken, answer, filled, members

# Recorded and documented answers, https://documentation.mailgun.com

WRONG_KEY = Reply(401, b"Invalid private key")
BAD_TO = answer(400, {"message": "'to' parameter is not a valid address. please check documentation"})
BAD_FROM = answer(400, {"message": "'from' parameter is not a valid address. please check documentation"})
NO_DOMAIN = answer(404, {"message": "Domain not found: example.com"})
NOT_ALLOWED = answer(403, {"message": "Domain sandbox123.mailgun.org is not allowed to send"})
WRONG_PLACE = Reply(200, b"Mailgun Magnificent API")
LIMIT = answer(420, {"message": "Domain example.com is not allowed to send: recipient limit exceeded."})
TOO_FAST = answer(429, {"message": "Too Many Requests"}, {"X-RateLimit-Reset": "1741597230000"})

_NAME = re.compile(rb'Content-Disposition: form-data; name="([^"]*)"')
Fields = list[tuple[str, bytes, bytes]]


class FakeMailgun(FakeProvider):
    """The domain `example.com`."""

    credentials: ClassVar = {"api_key": KEY, "domain": "example.com"}
    wrong_key = WRONG_KEY
    #: whether its events know of what was taken
    indexed = True

    def authorised(self, request: Received) -> bool:
        """Basic authentication as `api`."""
        return request.headers.get("authorization") == f"Basic {b64encode(f'api:{KEY}'.encode()).decode()}"

    def take(self, request: Received) -> Reply:
        """A form."""
        if not request.path.startswith("/v3/example.com/messages"):
            return NO_DOMAIN
        fields = list(_fields(request))
        readers = [_address(value) for name, value, _ in fields if name == "to"]
        if self.bad & set(readers):
            return BAD_TO
        raw = request.path.endswith(".mime")
        identifier = f"20160306015544.{len(self.taken):06}.25145@example.com"
        found = [self._raw(request, fields)] if raw else list(self._variables(request, fields, identifier))
        assert [one.recipient for one in found] == readers
        if not any(name == "o:testmode" for name, _, _ in fields):
            self.keep(found)
        return answer(200, {"id": f"<{found[0].id}>", "message": "Queued. Thank you."})

    def _raw(self, request: Received, fields: Fields) -> Taken:
        values = {name: value for name, value, _ in fields}
        message: Any = message_from_bytes(values["message"], policy=policy.default)
        parts = {part.get_content_subtype(): part.get_content() for part in message.walk() if not part.is_multipart()}
        return Taken(
            recipient=values["to"].decode(),
            mark=values[f"v:{MARK}"].decode(),
            sha256=self.digest(request, request.body),
            subject=message["Subject"],
            text=parts["plain"],
            html=parts["html"],
            headers={name.lower(): str(value) for name, value in message.items()},
            id=(message["Message-ID"] or "<20160306@example.com>").strip("<>"),
        )

    def _variables(self, request: Received, fields: Fields, identifier: str) -> Iterator[Taken]:
        values = {name: value.decode() for name, value, _ in fields}
        shared = b"".join(part for name, _, part in fields if name not in {"to", "recipient-variables"})
        (frame,) = (part for name, _, part in fields if name == "recipient-variables")
        to = [(value, part) for name, value, part in fields if name == "to"]
        assert len(to) <= 1000
        for (value, part), (address, member) in zip(to, members(values["recipient-variables"]), strict=True):
            assert _address(value) == address
            own = frame.replace(values["recipient-variables"].encode(), f"{{{member}}}".encode())
            known = json.loads(f"{{{member}}}")[address]
            told = partial(filled, values=known, token="%recipient.{}%".format)
            yield Taken(
                recipient=address,
                mark=told(values[f"v:{MARK}"]),
                sha256=self.digest(request, shared + part + own),
                subject=told(values["subject"]),
                text=told(values["text"]),
                html=told(values["html"]),
                headers={name[2:].lower(): told(value) for name, value in values.items() if name.startswith("h:")},
                id=identifier,
            )

    def show(self, request: Received) -> Reply:
        """`GET /v3/example.com/events` of one recipient."""
        wanted = parse_qs(urlsplit(request.path).query)["recipient"][0]
        found = [one for one in self.taken if self.indexed and one.recipient == wanted]
        events = [
            {
                "event": "accepted",
                "recipient": one.recipient,
                "user-variables": {MARK: one.mark},
                "message": {"headers": {"message-id": one.id}},
            }
            for one in found
        ]
        return answer(200, {"items": events, "paging": {}})


def _fields(request: Received) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, value, and all bytes of each field with its delimiter; the last one with the end of the form."""
    boundary = b"--" + request.headers["content-type"].partition("boundary=")[2].encode()
    at = [match.start() for match in re.finditer(rb"(?:^|\r\n)" + boundary, request.body)]
    for begin, end in pairwise(at):
        head, _, value = request.body[begin:end].partition(b"\r\n\r\n")
        name = _NAME.search(head)
        assert name
        last = len(request.body) if end == at[-1] else end
        yield name[1].decode(), value, request.body[begin:last]


def _address(value: bytes) -> str:
    return value.decode().rpartition("<")[2].removesuffix(">")
