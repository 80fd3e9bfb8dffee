"""A LinkedIn that answers with what the real one was seen to answer, and cuts a text off as silently as it does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from syndicate.testing.http import FakeNetwork, Received, Reply
from syndicate.testing.oauth import Authority, answered

TOKEN = "AQX-token-of-the-tests"
PATCHABLE = {"commentary", "contentCallToActionLabel", "contentLandingPage", "lifecycleState", "adContext"}
VERSIONS = frozenset(f"2026{month:02}" for month in range(1, 13))

# Recorded answers of the Posts API.
EXPIRED = Reply(
    401,
    b'{"status":401,"serviceErrorCode":65602,"code":"EXPIRED_ACCESS_TOKEN",'
    b'"message":"The token used in the request has expired"}',
)
REVOKED = Reply(
    401,
    b'{"status":401,"serviceErrorCode":65601,"code":"REVOKED_ACCESS_TOKEN",'
    b'"message":"The token used in the request has been revoked by the user"}',
)
DENIED = Reply(
    403, b'{"message":"Not enough permissions to access: POST /rest/posts","serviceErrorCode":100,"status":403}'
)
THROTTLED = Reply(
    429,
    b'{"message":"Resource level throttle APPLICATION DAY limit for calls to this resource is reached.","status":429}',
)
CONFLICT = Reply(409, b'{"code":"CONFLICT","message":"Write Conflict","status":409}')
UNAVAILABLE = Reply(503, b'{"message":"Service Unavailable","status":503}')
NOT_READY = Reply(400, b'{"status":400,"code":"MEDIA_ASSET_WAITING_UPLOAD","message":"The media is being processed"}')
VERSION_MISSING = Reply(
    400,
    b'{"status":400,"code":"VERSION_MISSING","message":"A version must be present. '
    b'Please specify a version by adding the LinkedIn-Version header."}',
)

# Recorded answers of the token endpoint; the description of a code is that of its documentation.
TOKEN_ERRORS = {
    "invalid_client": Reply(401, b'{"error":"invalid_client","error_description":"Client authentication failed"}'),
    "invalid_grant": Reply(
        400,
        b'{"error":"invalid_request","error_description":"Unable to retrieve access token: appid/redirect uri/code '
        b'verifier does not match authorization code. Or authorization code expired."}',
    ),
}
#: What a browser is sent back with, as seen: escaped twice.
UNAUTHORIZED_SCOPE = {
    "error": "unauthorized_scope_error",
    "error_description": "Scope &amp;quot;w_organization_social&amp;quot; is not authorized for your application",
}
CANCELLED = {"error": "user_cancelled_authorize", "error_description": "The user cancelled the authorization"}
USERINFO = {
    "sub": "782bbtaQ",
    "name": "Test Member",
    "given_name": "Test",
    "family_name": "Member",
    "locale": {"country": "US", "language": "en"},
}
NO_USERINFO = Reply(
    403,
    b'{"status":403,"serviceErrorCode":100,"code":"ACCESS_DENIED",'
    b'"message":"Not enough permissions to access: userinfo.GET.NO_VERSION"}',
)
NO_COMMENT = Reply(
    403,
    b'{"status":403,"serviceErrorCode":100,"code":"ACCESS_DENIED",'
    b'"message":"Not enough permissions to access: partnerApiSocialActions.CREATE.20260101"}',
)
COMMENT_THROTTLED = Reply(
    429, b'{"message":"Comment create throttled: creation rate limit exceeded for member","status":429}'
)

_RESERVED = "|{}@[]()<>#\\*_~"
_ELEMENTS = re.compile(
    r"\\[|{}@\[\]()<>#\\*_~]"  # escaped
    r"|#(?:\w|\\_)*[^\W\d_](?:\w|\\_)*"  # hashtag
    r"|@\[[^\]]*\]\(urn:li:(?:person|organization):[A-Za-z0-9_-]+\)"  # mention
    r"|\{hashtag\|\\?#\|[^|{}]+\}"
)


@dataclass(frozen=True, slots=True)
class Published:
    """A post that people can see."""

    urn: str
    #: what they read: the text up to the first character that was not escaped
    text: str
    #: the whole request body
    post: dict[str, Any]


class FakeLinkedIn(FakeNetwork):
    """The Posts, Images and Comments API of one member, and its sign-in."""

    credentials: ClassVar = {"token": TOKEN}

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Published] = []
        #: URN -> bytes
        self.images: dict[str, bytes] = {}
        #: a duplicate of a deleted post names a URN that is not there
        self.ghost = False
        #: 201 without an id, as seen
        self.silent_about_id = False
        #: URN -> texts of its comments
        self.comments: dict[str, list[str]] = {}
        self.authority = Authority(TOKEN, lifetime=5184000, separator=",")
        #: who signs in
        self.userinfo: dict[str, Any] = dict(USERINFO)
        self._seen: dict[str, str] = {}

    def handle(self, request: Received) -> Reply:
        """Uploads, posts, comments and sign-ins; everything else is not there."""
        path = urlsplit(request.path).path
        if path == "/oauth/v2/authorization":
            return self.authority.page(request)
        if path == "/oauth/v2/accessToken":
            return answered(self.authority.tokens(request), TOKEN_ERRORS)
        if path.startswith("/v2/"):
            return self._unversioned(request, path)
        if request.method == "PUT" and request.path.startswith("/dms-uploads/"):
            self.images[f"urn:li:image:{request.path.split('/')[2]}"] = request.body
            return Reply(201)
        refusal = self._refusal(request)
        if refusal:
            return refusal
        if request.path == "/rest/images?action=initializeUpload":
            return self._place()
        if request.path == "/rest/posts":
            return self._publish(request)
        if path.startswith("/rest/posts/") and request.headers.get("x-restli-method") == "PARTIAL_UPDATE":
            return self._correct(request, unquote(path.removeprefix("/rest/posts/")))
        if path.startswith("/rest/socialActions/"):
            return NO_COMMENT
        return Reply(404, b'{"status":404,"code":"RESOURCE_NOT_FOUND","message":"No virtual resource found"}')

    def _refusal(self, request: Received) -> Reply | None:
        version = request.headers.get("linkedin-version", "")
        if not self._is_known(request):
            return EXPIRED
        if not version:
            return VERSION_MISSING
        if version not in VERSIONS:
            error = {"status": 426, "code": "NONEXISTENT_VERSION"}
            return _json(426, {**error, "message": f"Requested version {version}01 is not active"})
        return None

    def _is_known(self, request: Received) -> bool:
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.authority.valid

    def _unversioned(self, request: Received, path: str) -> Reply:
        """Who has signed in, and comments, whose text is plain: an escape would be shown."""
        if not self._is_known(request):
            return EXPIRED
        if path == "/v2/userinfo":
            return NO_USERINFO if "openid" in self.authority.dropped else _json(200, self.userinfo)
        urn = unquote(path.removeprefix("/v2/socialActions/").removesuffix("/comments"))
        comment = json.loads(request.body)
        if comment["object"] != urn or urn not in {one.urn for one in self.published}:
            return _json(404, {"status": 404, "message": "com.linkedin.restli.server.RestLiServiceException"})
        self.comments.setdefault(urn, []).append(comment["message"]["text"])
        number = str(7100000000000000000 + len(self.comments[urn]))
        body = {"commentUrn": f"urn:li:comment:({urn},{number})", "id": number, **comment}
        return Reply(201, json.dumps(body).encode(), {"x-restli-id": number})

    def _correct(self, request: Received, urn: str) -> Reply:
        """Only some fields can be patched, and the text is one of them."""
        patch = json.loads(request.body)["patch"]["$set"]
        found = next((at for at, one in enumerate(self.published) if one.urn == urn), None)
        if found is None:
            return _json(404, {"status": 404, "code": "RESOURCE_NOT_FOUND", "message": "Post not found"})
        if patch.keys() - PATCHABLE:
            return _json(400, {"status": 400, "code": "ILLEGAL_ARGUMENT", "message": "Field is read-only"})
        old = self.published[found]
        self.published[found] = Published(urn, visible(patch["commentary"]), old.post | patch)
        return Reply(204)

    def _place(self) -> Reply:
        name = f"C4E10AQ{len(self.journal):04}"
        value = {
            "uploadUrlExpiresAt": 1650567510704,
            "uploadUrl": f"{self.url}/dms-uploads/{name}/uploaded-image/0?ca=vector_ads&cn=uploads",
            "image": f"urn:li:image:{name}",
        }
        return _json(200, {"value": value})

    def _publish(self, request: Received) -> Reply:
        post = json.loads(request.body)
        length = len(post["commentary"].encode("utf-16-le")) // 2
        if length > 3000:
            return _too_long(length)
        thumbnail = post.get("content", {}).get("article", {}).get("thumbnail")
        if thumbnail and thumbnail not in self.images:
            return NOT_READY
        fingerprint = sha256(request.body).hexdigest()
        if fingerprint in self._seen:
            return _duplicate("urn:li:share:7999999999999999999" if self.ghost else self._seen[fingerprint])
        urn = f"urn:li:share:{7243000000000000000 + len(self.published)}"
        self._seen[fingerprint] = urn
        self.published.append(Published(urn, visible(post["commentary"]), post))
        return Reply(201, headers={} if self.silent_about_id else {"x-restli-id": urn, "x-li-fabric": "prod-lva1"})


def visible(commentary: str) -> str:
    """What people see of a `little` text: it ends at the first reserved character that means nothing."""
    shown, place = "", 0
    while place < len(commentary):
        element = _ELEMENTS.match(commentary, place)
        if element:
            shown += re.sub(r"\\(.)", r"\1", element[0]) if element[0][0] in "\\#" else element[0]
            place = element.end()
        elif commentary[place] in _RESERVED:
            break
        else:
            shown += commentary[place]
            place += 1
    return shown


def _json(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _duplicate(urn: str) -> Reply:
    inner = {"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}
    return _bad_request(422, f"Content is a duplicate of {urn}", inner)


def _too_long(length: int) -> Reply:
    message = f"ShareCommentary text length ({length} characters) exceeded the maximum allowed (3000 characters)"
    return _bad_request(400, message, {"code": "FIELD_ARRAY_SIZE_TOO_HIGH", "maxLength": 3000})


def _bad_request(status: int, message: str, inner: dict[str, Any]) -> Reply:
    error = {
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": f"com.linkedin.content.common.exception.BadRequestResponseException: {message}",
        "errorDetails": {"inputErrors": [inner]},
        "status": status,
    }
    return _json(status, error)
