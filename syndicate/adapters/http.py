"""One HTTP request, and the sorting of everything that can become of it.

The exceptions of `requests` are translated here and nowhere else. What decides is the phase: a request whose body was
not handed over whole cannot have been accepted; after that, only a parsed answer counts, and silence is `Unknown`.
"""

from __future__ import annotations

import io
import socket
import ssl
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Request, Unknown

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0  # seconds, for each piece of an answer
DEADLINE = 300.0  # seconds, for all of an exchange; far less than a courier's claim lasts
MAX_ANSWER = 1 << 20  # bytes; no network of ours answers with more

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of those who are given no other."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    #: names in lower case
    headers: Mapping[str, str] = field(default_factory=dict)
    #: at most `MAX_ANSWER` bytes
    body: bytes = field(default=b"", repr=False)

    def json(self) -> dict[str, Any]:
        """The object in the body; empty if there is none."""
        import json

        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer."""

    #: our own words: those of a library may hold a URL with a secret in it
    reason: str
    #: whether the whole body was handed over, so that the request may have been carried out
    sent: bool
    #: what a person can do, where the account is at fault
    hint: str = ""


Verdict = Callable[[Answer], Outcome]


@dataclass(frozen=True, slots=True)
class Table:
    """How one network's answers are sorted, where they differ from what every network means by a status."""

    #: what a 2xx is
    accepted: Verdict = lambda answer: Receipt(status=str(answer.status))
    #: status -> verdict
    special: Mapping[int, Verdict] = field(default_factory=dict)
    #: the network's own words in an answer
    explain: Callable[[Answer], str] = lambda answer: ""
    #: what to do about a 401 or 403
    credentials: str = "Check the credentials of the account."
    #: header that says when a 429 ends, where there is no Retry-After; see `reset_after`
    reset: str = ""


def sort(result: Answer | Broken, table: Table, now: Clock = utc_now) -> Outcome:
    """The one sorting of HTTP: by the network's table, and else by the status (RFC 9110 §15)."""
    if isinstance(result, Broken):
        if result.hint:
            return Paused(result.reason, result.hint)
        return Unknown(result.reason) if result.sent else Deferred(result.reason, reached=False)
    verdict = table.special.get(result.status)
    if verdict is not None:
        return verdict(result)
    if 200 <= result.status < 300:
        return table.accepted(result)
    return _by_status(result, said(result, table), table, now)


def said(answer: Answer, table: Table) -> str:
    """The reason for people: status and the network's own words."""
    words = "".join(char if char.isprintable() else " " for char in table.explain(answer))
    return f"{answer.status} {words}"[:500].strip()


def _by_status(answer: Answer, reason: str, table: Table, now: Clock) -> Outcome:
    match answer.status:
        case 401 | 403 | 407:
            return Paused(reason, table.credentials)
        case 307 | 308:  # the server asks for the same request elsewhere, so it did not carry it out
            return Paused(f"{reason}: moved to {_place(answer)}", "Set the new address in the account.")
        case 408 | 425 | 429:
            after = retry_after(answer, now)
            return Deferred(reason, reset_after(answer, table.reset, now) if after is None else after)
        case status if 400 <= status < 500:
            return Refused(reason)
        case status if 300 <= status < 400:
            return Unknown(f"{reason}: sent on to {_place(answer)}, which is not followed")
    return Unknown(reason)


def _place(answer: Answer) -> str:
    """Host and path of a Location; its query may hold a secret."""
    parts = urlsplit(answer.headers.get("location", ""))
    return f"{parts.hostname or ''}{parts.path}" or "nowhere"


def retry_after(answer: Answer, now: Clock = utc_now) -> timedelta | None:
    """Retry-After as a duration (RFC 9110 §10.2.3). A date is read against the server's own Date, if it gives one."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return timedelta(seconds=min(int(value), 30 * 86400))
    until = http_date(value)
    return max(until - server_time(answer, now), timedelta(0)) if until else None


def reset_after(answer: Answer, header: str, now: Clock = utc_now) -> timedelta | None:
    """Until the moment in a header such as `x-rate-limit-reset`: Unix seconds, or ISO 8601. At most 30 days."""
    value = answer.headers.get(header, "").strip()
    try:
        until = datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else datetime.fromisoformat(value)
        wait = until - server_time(answer, now)
    except (ValueError, OverflowError, OSError, TypeError):  # TypeError: a moment without a zone
        return None
    return min(max(wait, timedelta(0)), timedelta(days=30))


def server_time(answer: Answer, now: Clock) -> datetime:
    """The time at the network: its Date header, or else our clock."""
    return http_date(answer.headers.get("date", "")) or now()


def http_date(value: str) -> datetime | None:
    """An HTTP date, aware; None if it is not one."""
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@contextmanager
def session() -> Iterator[requests.Session]:
    """A session that retries nothing and reads no proxy, netrc or certificate setting from the environment."""
    import requests

    from syndicate.adapters.deadline import Watched

    with requests.Session() as opened:
        opened.trust_env = False
        for scheme in ("http://", "https://"):
            opened.mount(scheme, Watched())
        yield opened


def exchange(
    session: requests.Session,
    request: Request,
    headers: Mapping[str, str],
    read_timeout: float = READ_TIMEOUT,
    holes: Mapping[str, str] = MappingProxyType({}),
    deadline: float = DEADLINE,
) -> Answer | Broken:
    """Sends one request with more headers (credentials) than it shows. No redirect is followed, nothing repeated.

    `holes`: what stands in the URL -> the secret that goes there, for networks that have it in the path. `deadline`:
    seconds for everything together, however steadily a byte comes now and then.
    """
    from syndicate.adapters.deadline import Deadline

    body = _Body(request.body)
    url = request.url
    for hole, secret in holes.items():
        url = url.replace(hole, secret)
    sent_headers = {"Accept-Encoding": "identity", **request.headers, **headers}
    with Deadline(deadline) as watch:
        result = _asked(session, request.method, url, body, sent_headers, read_timeout)
    if watch.over:  # what has come by then may look whole, and is not
        return Broken("no whole answer in time", sent=body.sent)
    return result if isinstance(result, Broken) else _masked(result, [*headers.values(), *holes.values()])


def _asked(
    session: requests.Session, method: str, url: str, body: _Body, headers: Mapping[str, str], read_timeout: float
) -> Answer | Broken:
    import requests

    try:
        with session.request(
            method,
            url,
            data=body if body.size else None,  # an empty stream would go out in chunks, which a GET must not
            headers=headers,
            timeout=(CONNECT_TIMEOUT, read_timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            head = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, head, _capped(response))
    except (requests.RequestException, ValueError) as error:  # ValueError: what urllib3 says of some odd host names
        return translate(error, sent=body.sent)


class _Body(io.BytesIO):
    """A request body that knows whether it was handed over whole."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size = len(data)
        self._gone = False

    @property
    def sent(self) -> bool:
        """Whether the request may have been carried out; nobody sees how far a bare head got."""
        return self._gone or not self.size

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        # The flag is up before the last block is written: from here on nobody can say that it did not arrive.
        self._gone = self._gone or self.tell() >= self.size
        return block


def _capped(response: requests.Response) -> bytes:
    body = b""
    for block in response.iter_content(8192):
        body += block
        if len(body) >= MAX_ANSWER:
            break
    return body[:MAX_ANSWER]


def _masked(answer: Answer, credentials: Sequence[str]) -> Answer:
    head = {
        name: _without(value.encode("latin-1", "replace"), credentials).decode("latin-1")
        for name, value in answer.headers.items()
    }
    return Answer(answer.status, head, _without(answer.body, credentials))


def _without(body: bytes, credentials: Iterable[str]) -> bytes:
    """The answer with stars where the network repeats a credential: it becomes a reason, and reasons are shown."""
    for value in credentials:
        for word in (*value.encode().split(), _password(value)):
            body = body.replace(word, b"***") if len(word) > 8 else body
    return body


def _password(value: str) -> bytes:
    """What the other side reads out of basic authentication (RFC 7617), and may repeat; empty if it is none."""
    scheme, _, pair = value.partition(" ")
    return b64decode(pair).partition(b":")[2] if scheme == "Basic" else b""


#: Mistakes in the request itself: nothing was sent, and nothing ever will be until the account is mended.
UNSENDABLE = (
    "URLRequired",
    "MissingSchema",
    "InvalidSchema",
    "InvalidURL",
    "InvalidHeader",
    "InvalidProxyURL",
    "InvalidJSONError",
    "UnrewindableBodyError",
)
#: Exception of `requests` -> what happened. Whether it leaves a doubt is decided by the phase alone.
HAPPENED = {
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "Timeout": "no answer in time",
    "ProxyError": "the proxy failed",
    "SSLError": "TLS failed",
    "ConnectionError": "the connection failed",
    "ChunkedEncodingError": "the answer broke off",
    "ContentDecodingError": "the answer cannot be decoded",
    "StreamConsumedError": "the answer cannot be read",
    "TooManyRedirects": "too many redirects",
    "RetryError": "too many attempts",
    "HTTPError": "an HTTP error",
    "JSONDecodeError": "the answer is not JSON",
    "RequestException": "the request failed",
}


def translate(error: Exception, *, sent: bool) -> Broken:
    """A foreign exception in our words; the nearest class that the two tables name decides which."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"the certificate is not trusted: {cause.verify_message}"
            return Broken(reason, sent=False, hint="Check the address of the account, and the clock of this machine.")
    kind = next((base.__name__ for base in type(error).__mro__ if base.__name__ in {*UNSENDABLE, *HAPPENED}), "")
    if not sent and (kind in UNSENDABLE or not kind):
        return Broken("the request cannot be sent as it is", sent=False, hint="Check the address of the account.")
    detail = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        detail = f"host not found, {detail}"
    happened = HAPPENED.get(kind, "the request failed")
    return Broken(f"{happened}: {detail}" if detail else happened, sent=sent)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that it wraps: requests and urllib3 keep the cause in `args`, `reason` or `__context__`."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
