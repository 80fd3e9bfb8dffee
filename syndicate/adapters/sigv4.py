"""Signature Version 4 of AWS, for a request with its body at hand.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

from syndicate.model import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"  # RFC 3986 §2.3, beside letters and digits


@dataclass(frozen=True, slots=True)
class Key:
    """Who signs."""

    #: such as AKIA…; no secret
    id: str
    secret: str = field(repr=False)
    #: of temporary credentials; empty for others
    session: str = field(default="", repr=False)


def headers(request: Request, key: Key, region: str, service: str, now: datetime) -> Mapping[str, str]:
    """The headers that make the request a signed one, valid for some minutes around `now` (aware)."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Amz-Date": stamp} | ({"X-Amz-Security-Token": key.session} if key.session else {})
    signed = {name.lower(): " ".join(value.split()) for name, value in {**request.headers, **added}.items()}
    signed["host"] = _host(request.url)
    names = ";".join(sorted(signed))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, sha256(_canonical(request, signed, names).encode()).hexdigest()))
    signature = hmac.new(_signing_key(key, scope), to_sign.encode(), "sha256").hexdigest()
    added["Authorization"] = f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return added


def _canonical(request: Request, signed: Mapping[str, str], names: str) -> str:
    parts = urlsplit(request.url)
    fields = sorted(
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return "\n".join(
        (
            request.method,
            quote(parts.path or "/", safe=f"/{_UNRESERVED}"),  # once more than on the wire, everywhere but at S3
            "&".join(f"{name}={value}" for name, value in fields),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            sha256(request.body).hexdigest(),
        )
    )


def _host(url: str) -> str:
    """As the Host header has it: without the port that goes without saying."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.hostname + (f":{parts.port}" if parts.port not in {None, default} else "") if parts.hostname else ""


def _signing_key(key: Key, scope: str) -> bytes:
    found = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        found = hmac.digest(found, part.encode(), "sha256")
    return found
