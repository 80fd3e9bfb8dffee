"""An Amazon SES: checks the signature with its own arithmetic, and names its errors."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from email import message_from_bytes, policy
from hashlib import sha256
from typing import Any, ClassVar

from syndicate.testing.http import Received, Reply
from syndicate.testing.providers import KEY, MARK, FakeProvider, Taken, answer

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
REGION = "us-east-1"

# Recorded and documented answers, https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html


def error(status: int, name: str, message: str) -> Reply:
    """Their envelope."""
    headers = {"x-amzn-ErrorType": f"{name}:http://internal.amazon.com/coral/com.amazonaws.sesv2/"}
    return answer(status, {"message": message}, headers)


UNVERIFIED = error(
    400,
    "MessageRejected",
    "Email address is not verified. The following identities failed the check in region US-EAST-1: to@example.com",
)
NO_MAIL_FROM = error(400, "MailFromDomainNotVerifiedException", "MAIL FROM domain not verified")
TOO_FAST = error(400, "ThrottlingException", "Maximum sending rate exceeded.")
DAILY = error(400, "ThrottlingException", "Daily message quota exceeded.")
TOO_MANY = error(429, "TooManyRequestsException", "Too many requests")
WRONG_SIGNATURE = error(
    403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."
)
DENIED = error(403, "AccessDeniedException", "User is not authorized to perform ses:SendEmail")
SUSPENDED = error(400, "AccountSuspendedException", "Account suspended")
PAUSED = error(400, "SendingPausedException", "Sending paused")
ILLEGAL = error(400, "BadRequestException", "Illegal address")
NO_SET = error(404, "NotFoundException", "Configuration set <news> does not exist.")
BROKEN = error(500, "InternalFailure", "internal")


class FakeSes(FakeProvider):
    """`POST /v2/email/outbound-emails` of one region."""

    credentials: ClassVar = {
        "region": REGION,
        "access_key_id": KEY_ID,
        "secret_access_key": KEY,
        "session_token": "",
    }
    wrong_key = WRONG_SIGNATURE

    def authorised(self, request: Received) -> bool:
        """Whether the signature is that of the request, with the key of the tests."""
        given = request.headers.get("authorization", "")
        stamp, names = request.headers.get("x-amz-date", ""), given.partition("SignedHeaders=")[2].partition(",")[0]
        scope = f"{stamp[:8]}/{REGION}/ses/aws4_request"
        canonical = [request.method, request.path, ""]
        canonical += [f"{name}:{request.headers.get(name, '')}" for name in names.split(";")]
        canonical += ["", names, sha256(request.body).hexdigest()]
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(chr(10).join(canonical).encode()).hexdigest()}"
        key = f"AWS4{KEY}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
        return given.startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope},") and given.endswith(signature)

    def take(self, request: Received) -> Reply:
        """One raw message."""
        if request.path != "/v2/email/outbound-emails":
            return error(404, "UnknownOperationException", "")
        mail = json.loads(request.body)
        (to,) = mail["Destination"]["ToAddresses"]
        if to in self.bad:
            return ILLEGAL
        identifier = f"0100018{len(self.taken):09}-bbbbbbbb-3333-7777-aaaa-eeeeeeeeeeee-000000"
        self.keep([self._one(request, mail, to, identifier)])
        return answer(200, {"MessageId": identifier})

    def _one(self, request: Received, mail: Any, to: str, identifier: str) -> Taken:
        message: Any = message_from_bytes(b64decode(mail["Content"]["Raw"]["Data"]), policy=policy.default)
        parts = {part.get_content_subtype(): part.get_content() for part in message.walk() if not part.is_multipart()}
        tags = {tag["Name"]: tag["Value"] for tag in mail["EmailTags"]}
        return Taken(
            recipient=to,
            mark=tags[MARK],
            sha256=self.digest(request, request.body),
            subject=message["Subject"],
            text=parts["plain"],
            html=parts["html"],
            headers={name.lower(): str(value) for name, value in message.items()},
            id=identifier,
        )
