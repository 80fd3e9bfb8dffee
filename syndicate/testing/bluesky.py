"""A personal data server of the AT Protocol: accounts, blobs, and records that stay where they were written."""

from __future__ import annotations

import json
import re
from base64 import b32encode
from hashlib import sha256
from typing import Any, ClassVar

import regex

from syndicate.testing.http import FakeNetwork, Received, Reply

HANDLE, DID = "apprise.bsky.social", "did:plc:ruk414jakghak402j1jqekj2"
PASSWORD = "app-pass-word-test"

# What the server's source and recorded answers say.
EXPIRED = Reply(400, b'{"error":"ExpiredToken","message":"Token has expired"}')
BAD_SCOPE = Reply(400, b'{"error":"InvalidToken","message":"Bad token scope"}')
WRONG_PASSWORD = Reply(401, b'{"error":"AuthenticationRequired","message":"Invalid identifier or password"}')
SECOND_FACTOR = Reply(
    401, b'{"error":"AuthFactorTokenRequired","message":"A sign in code has been sent to your email address"}'
)
TOO_LONG = Reply(
    400,
    b'{"error":"InvalidRequest","message":"Invalid app.bsky.feed.post record: '
    b'Record/text must not be longer than 300 graphemes"}',
)
TOO_LARGE = Reply(
    400,
    b'{"error":"BlobTooLarge","message":"This file is too large. It is 1.01MB but the maximum size is 976.56KB."}',
)
NO_BLOB = Reply(400, b'{"error":"BlobNotFound","message":"Could not find blob: bafkrei"}')
THROTTLED = Reply(
    429,
    b'{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}',
    {
        "RateLimit-Limit": "30",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "1731600000",
        "RateLimit-Policy": "30;w=300",
        "Retry-After": "123",
    },
)
INTERNAL = Reply(500, b'{"error":"InternalServerError","message":"Internal Server Error"}')
UPSTREAM = Reply(502, b'{"error":"UpstreamFailure","message":"Upstream Failure"}')

_TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class FakeBluesky(FakeNetwork):
    """The server of one account."""

    option = "service"
    credentials: ClassVar = {"handle": HANDLE, "password": PASSWORD}

    def __init__(self) -> None:
        super().__init__()
        #: rkey -> record
        self.records: dict[str, dict[str, Any]] = {}
        #: CID -> bytes
        self.blobs: dict[str, bytes] = {}
        #: how often somebody signed in, and renewed
        self.logins = self.renewals = 0
        self._access: set[str] = set()
        self._refresh: set[str] = set()

    def expire(self, *, for_good: bool = False) -> None:
        """Access tokens are no longer taken; `for_good`: nor the tokens that renew them."""
        self._access.clear()
        if for_good:
            self._refresh.clear()

    def handle(self, request: Received) -> Reply:
        """Five procedures of com.atproto."""
        method = request.path.removeprefix("/xrpc/com.atproto.")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if method == "server.createSession":
            return self._login(json.loads(request.body))
        if method == "server.refreshSession":
            return self._renew(token)
        if token not in self._access:
            return EXPIRED
        if method == "repo.uploadBlob":
            return self._keep(request)
        if method == "repo.putRecord":
            return self._put(json.loads(request.body))
        return Reply(501, b'{"error":"MethodNotImplemented","message":"Method Not Implemented"}')

    def _login(self, who: dict[str, str]) -> Reply:
        self.logins += 1
        if who != {"identifier": HANDLE, "password": PASSWORD}:
            return WRONG_PASSWORD
        return self._session()

    def _renew(self, token: str) -> Reply:
        if token not in self._refresh:
            return Reply(400, b'{"error":"ExpiredToken","message":"Token has been revoked"}')
        self._refresh.remove(token)
        self.renewals += 1
        return self._session()

    def _session(self) -> Reply:
        number = self.logins + self.renewals
        access, refresh = f"access-jwt-{number:04}", f"refresh-jwt-{number:04}"
        self._access.add(access)
        self._refresh.add(refresh)
        return _json(200, {"did": DID, "handle": HANDLE, "accessJwt": access, "refreshJwt": refresh, "active": True})

    def _keep(self, request: Received) -> Reply:
        cid = _cid(request.body)
        self.blobs[cid] = request.body
        kind, size = request.headers["content-type"], len(request.body)
        return _json(200, {"blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": kind, "size": size}})

    def _put(self, body: dict[str, Any]) -> Reply:
        record, rkey = body["record"], body["rkey"]
        if refusal := self._refusal(record, rkey):
            return refusal
        cid = _cid(json.dumps(record, sort_keys=True).encode())
        answer = {"uri": f"at://{DID}/app.bsky.feed.post/{rkey}", "cid": cid, "validationStatus": "valid"}
        there = self.records.get(rkey)
        if there == record:
            return _json(200, answer)  # before the swap is looked at, and without a commit
        if there is not None and body.get("swapRecord", "") is None:
            return _json(400, {"error": "InvalidSwap", "message": f"Record was at {cid}"})
        self.records[rkey] = record
        return _json(200, {**answer, "commit": {"cid": cid, "rev": "3k4duaz6abc2d"}})

    def _refusal(self, record: dict[str, Any], rkey: str) -> Reply | None:
        if not _TID.fullmatch(rkey):
            return _invalid(f"Invalid record key for app.bsky.feed.post: {rkey}")
        if len(regex.findall(r"\X", record["text"])) > 300 or len(record["text"].encode()) > 3000:
            return TOO_LONG
        if not _MOMENT.fullmatch(record["createdAt"]):
            return _invalid(
                "Invalid app.bsky.feed.post record: createdAt must be an valid atproto datetime "
                "(both RFC-3339 and ISO-8601)"
            )
        if refusal := self._orphan(record.get("reply")):
            return refusal
        embed = record.get("embed", {})
        thumb = embed.get("external", {}).get("thumb")
        for blob in [thumb] if thumb else [one["image"] for one in embed.get("images", [])]:
            if blob["ref"]["$link"] not in self.blobs:
                return NO_BLOB
            if blob["size"] > (1_000_000 if thumb else 2_000_000):
                return TOO_LARGE
        return None

    def _orphan(self, reply: dict[str, Any] | None) -> Reply | None:
        """Stricter than the real one, which does not look whether a record that is referred to is there."""
        for name in ("root", "parent") if reply is not None else ():
            reference = reply.get(name) if reply else None
            if not isinstance(reference, dict) or reference.keys() != {"uri", "cid"}:
                return _invalid(f"Invalid app.bsky.feed.post record: Record/reply/{name} must be an object")
            there = self.records.get(str(reference["uri"]).rpartition("/")[2])
            if there is None or _cid(json.dumps(there, sort_keys=True).encode()) != reference["cid"]:
                return _invalid(f"there is no such record: {reference['uri']}")
        return None


def links(record: dict[str, Any]) -> list[tuple[str, str]]:
    """(what people see, where it leads or which tag it is) for each facet of a record."""
    text = record["text"].encode()
    found = []
    for facet in record.get("facets", []):
        index, feature = facet["index"], facet["features"][0]
        seen = text[index["byteStart"] : index["byteEnd"]].decode()
        found.append((seen, feature.get("uri") or feature["tag"]))
    return found


def _cid(data: bytes) -> str:
    return "b" + b32encode(b"\x01\x55\x12\x20" + sha256(data).digest()).decode().lower().rstrip("=")


def _invalid(message: str) -> Reply:
    return _json(400, {"error": "InvalidRequest", "message": message})


def _json(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
