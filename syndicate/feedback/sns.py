"""Amazon SNS: the signed envelope in which SES brings its events.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from syndicate.feedback import events
from syndicate.feedback.base import Forged, Malformed, NotNow

#: Bytes of a certificate, and seconds to wait for one.
LARGEST, PATIENCE = 20_000, 5.0
#: Where AWS keeps its certificates, and whose topics they are for. Nothing else is ever fetched.
_PLACE = re.compile(
    r"https://sns\.(?P<region>[a-z0-9-]{3,20})\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[0-9a-f]{1,64}\.pem"
)
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]{3,20}):\d{12}:[A-Za-z0-9_-]{1,256}")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}

Fetch = Callable[[str], bytes]


def is_topic(text: str) -> bool:
    """Whether it is the ARN of a topic."""
    return _TOPIC.fullmatch(text) is not None


def envelope(body: bytes) -> dict[str, str]:
    """The fields of an envelope that are text. Raises `Malformed`."""
    found = events.parse(body)
    if not isinstance(found, dict):
        raise Malformed("the body is no envelope of SNS")
    return {name: value for name, value in found.items() if isinstance(value, str)}


def verify(found: dict[str, str], topics: tuple[str, ...], fetch: Fetch, now: datetime) -> None:
    """Raises `Forged` unless AWS signed it for one of the topics, with a certificate that is valid now.

    Raises `NotNow` if the certificate cannot be had. Nothing is fetched for a topic or from a place that is not ours.
    """
    topic, place = _TOPIC.fullmatch(found.get("TopicArn", "")), _PLACE.fullmatch(found.get("SigningCertURL", ""))
    if found.get("TopicArn") not in topics or not topic or not place or topic["region"] != place["region"]:
        raise Forged
    data = signed(found)
    if not _holds(data, found.get("Signature", ""), found.get("SignatureVersion", ""), fetch(place[0]), now):
        raise Forged


def signed(found: dict[str, str]) -> bytes:
    """What is signed: names and values, each followed by a line end. Raises `Forged` if one of them is missing."""
    names = _SIGNED.get(found.get("Type", ""), ())
    if not names or any(name not in found for name in names if name != "Subject"):
        raise Forged
    return "".join(f"{name}\n{found[name]}\n" for name in names if name in found).encode()


def _holds(data: bytes, signature: str, version: str, certificate: bytes, now: datetime) -> bool:
    """Any fault of strangers' input is a `no`."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    # Version 1 is what a topic has unless it is told otherwise.
    digests: dict[str, Any] = {"1": hashes.SHA1, "2": hashes.SHA256}
    if version not in digests:
        return False
    try:
        known = x509.load_pem_x509_certificate(certificate)
        key = known.public_key()
        if not isinstance(key, RSAPublicKey) or not known.not_valid_before_utc <= now <= known.not_valid_after_utc:
            return False
        key.verify(b64decode(signature, validate=True), data, PKCS1v15(), digests[version]())
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=16)
def fetched(url: str) -> bytes:
    """A certificate of AWS, fetched once. Raises `NotNow`. TLS tells that it is theirs; no redirect is followed."""
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, timeout=PATIENCE, allow_redirects=False, stream=True) as answer:
                content: bytes = answer.raw.read(LARGEST, decode_content=True)
                found = answer.status_code == 200
    except (requests.RequestException, OSError) as error:
        raise NotNow("the certificate of SNS cannot be fetched") from error
    if not found:
        raise NotNow(f"the certificate of SNS cannot be fetched: {answer.status_code}")
    return content
