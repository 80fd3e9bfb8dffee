"""What Meta's Graph API answers: a code inside the body says more than the status.

https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from syndicate.adapters import http
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Unknown

_BUSY = frozenset({4, 17, 32, 613})
_LOCKED = frozenset({10, 102, 190, *range(200, 300)})
_TRANSIENT = frozenset({1, 2})


def table(credentials: str) -> http.Table:
    """How answers are sorted; `credentials` is what to do about a token that is not accepted."""

    def by_code(answer: http.Answer) -> Outcome:
        code, words = _error(answer).get("code"), http.said(answer, http.Table(explain=_words))
        if code in _BUSY or answer.status == 429:
            return Deferred(words, _regain(answer))
        if code in _LOCKED or answer.status in {401, 403}:
            return Paused(words, credentials)
        if code in _TRANSIENT or answer.status >= 500:
            return Unknown(words)
        return Refused(words)

    special = dict.fromkeys((400, 401, 403, 404, 429, 500, 503), by_code)
    return http.Table(accepted=_accepted, special=special, explain=_words, credentials=credentials)


def said(answer: http.Answer | http.Broken, name: str) -> str:
    """A field of a good answer; empty if there is none."""
    if not isinstance(answer, http.Answer) or answer.status != 200:
        return ""
    return str(answer.json().get(name, ""))


def _error(answer: http.Answer) -> Mapping[str, Any]:
    found = answer.json().get("error")
    return found if isinstance(found, dict) else {}


def _words(answer: http.Answer) -> str:
    error = _error(answer)
    return " ".join(str(error[name]) for name in ("code", "error_user_msg", "message") if error.get(name))


def _accepted(answer: http.Answer) -> Outcome:
    found = answer.json().get("id")
    return Receipt(str(found), status=str(answer.status)) if found else Unknown(f"{answer.status}, but no id")


def _regain(answer: http.Answer) -> timedelta:
    """How long an app has used up its calls: in minutes, in a header about usage; else an hour."""
    if after := http.retry_after(answer):
        return after
    try:
        usage = json.loads(answer.headers.get("x-business-use-case-usage", ""))
        minutes = max(int(one["estimated_time_to_regain_access"]) for kinds in usage.values() for one in kinds)
    except (ValueError, KeyError, TypeError, AttributeError):
        minutes = 0
    return timedelta(minutes=minutes or 60)
