"""X: a post by the v2 API, with its own idea of a length and its memory for duplicates."""

from __future__ import annotations

import json
import re
from typing import ClassVar

import regex

from syndicate.testing.http import FakeNetwork, Received, Reply
from syndicate.testing.oauth import Authority, answered

TOKEN = "x-token-of-the-tests"

# Recorded answers of POST /2/tweets.
DUPLICATE = Reply(
    403,
    b'{"detail":"You are not allowed to create a Tweet with duplicate content.","type":"about:blank",'
    b'"title":"Forbidden","status":403}',
)
FORBIDDEN = Reply(
    403,
    b'{"detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",'
    b'"type":"https://api.twitter.com/2/problems/oauth1-permissions","title":"Forbidden","status":403}',
)
UNAUTHORIZED = Reply(401, b'{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}')
NO_CREDITS = Reply(
    402,
    b'{"title":"CreditsDepleted","detail":"Your enrolled account does not have any credits to fulfill this request.",'
    b'"type":"https://api.twitter.com/2/problems/credits"}',
)
THROTTLED = Reply(
    429,
    b'{"title":"Too Many Requests","detail":"Too Many Requests","type":"about:blank","status":429}',
    {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "1741642200"},
)
OLD_THROTTLED = Reply(429, b'{"errors":[{"code":88,"message":"Rate limit exceeded"}]}')
TOO_LONG = Reply(400, b'{"detail":"Your Tweet text is too long.","type":"about:blank","title":"Invalid Request"}')
UNAVAILABLE = Reply(503, b'{"title":"Service Unavailable","detail":"Service Unavailable","type":"about:blank"}')


TOKEN_ERRORS = {
    "invalid_client": Reply(
        401, b'{"error":"unauthorized_client","error_description":"Missing valid authorization header"}'
    ),
    "invalid_grant": Reply(
        400, b'{"error":"invalid_request","error_description":"Value passed for the token was invalid."}'
    ),
}


class FakeX(FakeNetwork):
    """The API of one user."""

    credentials: ClassVar = {"token": TOKEN}

    def __init__(self) -> None:
        super().__init__()
        #: texts that people see, in order
        self.posts: list[str] = []
        self.authority = Authority(TOKEN, lifetime=7200, refreshable=True, pkce=True, basic=True)

    def handle(self, request: Received) -> Reply:
        """Creates posts."""
        if request.path.startswith("/i/oauth2/authorize?"):
            return self.authority.page(request)
        if request.path == "/2/oauth2/token":
            return answered(self.authority.tokens(request), TOKEN_ERRORS)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.authority.valid:
            return UNAUTHORIZED
        if (request.method, request.path) != ("POST", "/2/tweets"):
            return Reply(404, b'{"title":"Not Found","type":"about:blank","status":404}')
        text = json.loads(request.body)["text"]
        if weight(text) > 280:
            return TOO_LONG
        if text in self.posts:
            return DUPLICATE
        self.posts.append(text)
        number = str(1445880548472328192 + len(self.posts))
        data = {"id": number, "text": text, "edit_history_tweet_ids": [number]}
        return Reply(201, json.dumps({"data": data}).encode())


def weight(text: str) -> int:
    """As X counts: a link 23, an emoji two, Latin and its neighbours one, all else two."""
    text, links = re.subn(r"https?://\S+", "", text)
    text, emoji = regex.subn(r"(?=\p{Extended_Pictographic}|\p{Regional_Indicator})\X", "", text)
    light = re.findall("[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]", text)
    return 23 * links + 2 * emoji + 2 * len(text) - len(light)
