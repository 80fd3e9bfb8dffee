"""Signature Version 4 against botocore's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from syndicate.adapters import sigv4
from syndicate.model import Request
from syndicate.testing.ses import REGION
from tests.adapters.providers import KINDS, email, the_letter

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def theirs(request: Request, session: str = "", region: str = "us-east-1") -> str:
    """The Authorization header that botocore makes."""
    given = AWSRequest(request.method, request.url, dict(request.headers), request.body)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        SigV4Auth(Credentials("AKIAIOSFODNN7EXAMPLE", SECRET, session or None), "ses", region).add_auth(given)
    found: str = given.headers["Authorization"]
    return found


def ours(request: Request, session: str = "", region: str = "us-east-1", now: datetime = NOW) -> str:
    key = sigv4.Key("AKIAIOSFODNN7EXAMPLE", SECRET, session)
    return sigv4.headers(request, key, region, "ses", now)["Authorization"]


REQUESTS = {
    "send": Request("POST", "https://email.us-east-1.amazonaws.com/v2/email/outbound-emails", b"{}",
                    {"Content-Type": "application/json"}),
    "no path": Request("GET", "https://email.us-east-1.amazonaws.com", b""),
    "a path with odd characters": Request("GET", "https://h.example/v2/email/identities/a%40b.example%20c/x~y_z", b""),
    "a query": Request("GET", "https://h.example/v2?PageSize=10&NextToken=a%2Fb%20c%2B&Empty=&PageSize=1", b""),
    "a port": Request("POST", "http://127.0.0.1:8443/v2/email", b"x" * 1000, {"X-Many": "a   b \t c"}),
    "the usual port": Request("POST", "https://h.example:443/v2/email", "José".encode()),
}  # fmt: skip


@pytest.mark.parametrize("session", ["", "FwoGZXIvYXdzEJr//token=="])
@pytest.mark.parametrize("what", REQUESTS)
def test_the_signature_is_botocores(what: str, session: str) -> None:
    assert ours(REQUESTS[what], session) == theirs(REQUESTS[what], session)


@given(body=st.binary(max_size=200), region=st.sampled_from(["eu-central-1", "ap-south-1", "us-gov-west-1"]))
def test_for_every_body_and_region(body: bytes, region: str) -> None:
    request = Request("POST", f"https://email.{region}.amazonaws.com/v2/email/outbound-emails", body)
    assert ours(request, region=region) == theirs(request, region=region)


def test_the_moment_is_that_of_utc() -> None:
    local = NOW.astimezone(tz=None) + timedelta(0)
    assert ours(REQUESTS["send"], now=local) == ours(REQUESTS["send"])


def test_what_ses_is_sent_is_signed_so() -> None:
    adapter: Any = KINDS["ses"].make(secret_access_key=SECRET)
    request = adapter.compose(email(the_letter(), "ada@example.org"))
    adapter.now = lambda: NOW
    assert adapter.credentials(request)["Authorization"] == theirs(request, region=REGION)


def test_a_key_shows_no_secret() -> None:
    assert SECRET not in repr(sigv4.Key("AKIA", SECRET, "token-of-a-session"))
    assert "token-of-a-session" not in repr(sigv4.Key("AKIA", SECRET, "token-of-a-session"))
