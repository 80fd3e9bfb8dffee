"""One request on its way through a handler: what it brings, and the pages that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request, Response

from syndicate.audience.links import Holder
from syndicate.audience.tokens import Purpose
from syndicate.web import forms, pages
from syndicate.web.guard import client
from syndicate.web.office import Desk
from syndicate.web.words import choose


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler works with. Handlers run in threads, so nothing here waits for another request."""

    request: Request
    #: fields of the form; none for a request without one
    form: forms.Fields

    @property
    def desk(self) -> Desk:
        """The parts of the app that is in force."""
        found: Desk = self.request.app.state.office()
        return found

    @property
    def language(self) -> str:
        """What the visitor reads."""
        return choose(self.request.headers.get("accept-language", ""), self.desk.publication.language)

    def one(self, name: str) -> str:
        """The value of a field that may be there once; empty if it is not, or stands there more often."""
        return forms.one(self.form, name)

    @property
    def ip(self) -> str:
        """The visitor's address."""
        return client(self.request.scope)

    @property
    def agent(self) -> str:
        """The visitor's program."""
        return self.request.headers.get("user-agent", "")

    def page(self, name: str, /, *, status: int = 200, **values: Any) -> Response:
        """See `pages.page`."""
        return pages.page(self.desk, self.language, name, status=status, **values)

    def message(self, about: str, /, *extra: str, status: int = 200, **values: Any) -> Response:
        """See `pages.message`."""
        return pages.message(self.desk, self.language, about, *extra, status=status, **values)

    def holder(self, purpose: Purpose, token: str) -> Holder | None:
        """Whose token it is; None if it is none of ours for this purpose."""
        return self.desk.choices.holder(purpose, token)

    def unknown(self) -> Response:
        """The one answer to every link that is none of ours."""
        return self.message("unknown", status=404)


async def _call(request: Request, form: Annotated[forms.Fields, Depends(forms.fields)]) -> Call:
    return Call(request, form)


Asked: TypeAlias = Annotated[Call, Depends(_call)]
