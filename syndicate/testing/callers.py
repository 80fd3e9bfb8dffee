"""Amazon SNS and Svix as they call our webhooks: with signatures that hold, over events of any kind."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

#: What a webhook is called with: headers in lower case, and the raw body.
Call = tuple[dict[str, str], bytes]

TOPIC = "arn:aws:sns:us-east-1:123456789012:SES_Events"
PLACE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-12345abcde.pem"


@dataclass
class SnsCalls:
    """A topic, and AWS's key with its certificate."""

    now: datetime
    #: until when the certificate is good
    life: timedelta = timedelta(days=90)
    #: addresses of certificates that were asked for
    asked: list[str] = field(default_factory=list)

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        """Of AWS."""
        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def certificate(self) -> bytes:
        """In PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        made = (
            made.serial_number(1).not_valid_before(self.now - timedelta(days=1)).not_valid_after(self.now + self.life)
        )
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def fetch(self, url: str) -> bytes:
        """What AWS has at that address."""
        self.asked.append(url)
        return self.certificate

    def event(self, event: Mapping[str, Any], version: str = "1", **changes: str) -> Call:
        """An event of SES in its envelope."""
        fields = {
            "Type": "Notification",
            "Message": json.dumps(event),
            "Subject": "Amazon SES Email Event Notification",
        }
        return self.signed({**fields, **changes}, version)

    def confirmation(self, **changes: str) -> Call:
        """How a topic asks whether we want its events."""
        fields = {
            "Type": "SubscriptionConfirmation",
            "Message": "You have chosen to subscribe to the topic.",
            "Token": "2336412f37",
            "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37",
        }
        return self.signed({**fields, **changes})

    def signed(self, fields: Mapping[str, str], version: str = "1") -> Call:
        """Any envelope, with a signature that holds."""
        stamp = self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        found = {"MessageId": "19ba9823-d7f2-53c1", "TopicArn": TOPIC, "Timestamp": stamp, **fields}
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{found[name]}\n" for name in names if name in found)
        digest = {"1": hashes.SHA1, "2": hashes.SHA256}.get(version, hashes.SHA256)()
        signature = b64encode(self.key.sign(text.encode(), padding.PKCS1v15(), digest)).decode()
        envelope = {**found, "SignatureVersion": version, "Signature": signature, "SigningCertURL": PLACE}
        return {"content-type": "text/plain; charset=UTF-8"}, json.dumps(envelope).encode()


@dataclass
class SvixCalls:
    """Resend's webhook, which Svix signs."""

    now: datetime
    secret: str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def event(self, event: Mapping[str, Any]) -> Call:
        """An event of Resend."""
        return self.signed(json.dumps(event).encode())

    def signed(self, body: bytes, identifier: str = "msg_1") -> Call:
        """Any body, with a signature that holds."""
        stamp = str(int(self.now.timestamp()))
        key = b64decode(self.secret.removeprefix("whsec_"))
        mac = hmac.digest(key, f"{identifier}.{stamp}.".encode() + body, "sha256")
        signature = f"v1,{b64encode(mac).decode()}"
        return {"svix-id": identifier, "svix-timestamp": stamp, "svix-signature": signature}, body
