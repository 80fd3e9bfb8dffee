"""Every route there is. What is not named here is not found, whatever its spelling: nothing is redirected."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from syndicate.errors import SyndicateError
from syndicate.web import pages, readers, visitors
from syndicate.web.calls import Call
from syndicate.web.guard import client, is_within
from syndicate.web.office import Office

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from syndicate.log import Log

LOOK = ["GET", "HEAD"]
#: Headers by which a proxy shows that the request comes from further away than its connection.
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")


def application(
    office: Office, log: Log, wake: Callable[[], object], registry: CollectorRegistry | None = None
) -> FastAPI:
    """All routes. `wake` calls the postman; `registry` has the numbers that `/metrics` shows."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    made.state.office, made.state.log, made.state.wake, made.state.registry = office, log, wake, registry
    made.include_router(public(), prefix=office().prefix)
    made.include_router(machines())
    made.add_exception_handler(HTTPException, plain)
    made.add_exception_handler(SyndicateError, not_now)
    return made


def public() -> APIRouter:
    """The pages."""
    router = APIRouter()
    for path, show, take in (
        ("/subscribe", visitors.show_form, visitors.subscribe),
        ("/c/{token}", visitors.ask_confirmation, visitors.confirm),
        ("/u/{token}", readers.show_unsubscribe, readers.unsubscribe),
        ("/p/{token}", readers.show_preferences, readers.choose),
    ):
        router.add_api_route(path, show, methods=LOOK, response_model=None)
        router.add_api_route(path, take, methods=["POST"], response_model=None)
    router.add_api_route("/v/{seal}/{key:path}", readers.show_letter, methods=LOOK, response_model=None)
    router.add_api_route("/style.css", stylesheet, methods=LOOK, response_model=None)
    return router


def machines() -> APIRouter:
    """What programs ask for."""
    router = APIRouter()
    router.add_api_route("/hooks/{source}/{secret}", hook, methods=["POST"], response_model=None)
    router.add_api_route("/healthz", health, methods=LOOK, response_model=None)
    router.add_api_route("/metrics", metrics, methods=LOOK, response_model=None)
    return router


def stylesheet() -> Response:
    """The one stylesheet; its address changes with it."""
    headers = {"Cache-Control": "public, max-age=604800"}
    return Response(pages.style()[0], media_type="text/css", headers=headers)


async def body_of(request: Request) -> bytes:
    """The raw body, whose size was looked at before."""
    return await request.body()


def hook(request: Request, source: str, secret: str, body: Annotated[bytes, Depends(body_of)]) -> Response:
    """What a provider tells of its own accord."""
    from syndicate.returns.intake import receive

    answer = receive(request.app.state.office().app, source, secret, dict(request.headers), body)
    if answer.alarm:
        request.app.state.log.warning("webhook refused", says=answer.alarm, status=answer.status)
    return PlainTextResponse(f"{answer.text}\n", answer.status)


def health(request: Request) -> Response:
    """Whether the database answers."""
    with request.app.state.office().app.database().reading():
        return PlainTextResponse("ok\n")


def metrics(request: Request) -> Response:
    """The numbers of this process, for those who may see them; to all others there is no such page."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    allowed = request.app.state.office().serve.metrics
    forwarded = any(name in request.headers for name in FORWARDED)
    registry = request.app.state.registry
    if registry is None or forwarded or not is_within(client(request.scope), allowed):
        raise HTTPException(404)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def plain(request: Request, error: Exception) -> Response:
    """An error of HTTP in a few words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    allowed = getattr(error, "headers", None)
    return PlainTextResponse(f"{HTTPStatus(status).phrase.lower()}\n", status, headers=allowed)


def not_now(request: Request, error: Exception) -> Response:
    """The database cannot be written now: whoever asked may ask again. Mailbox providers do so by themselves."""
    request.app.state.log.error("page failed", says=getattr(error, "message", "") or type(error).__name__)
    response = Call(request, {}).message("later", status=503)
    response.headers["Retry-After"] = "60"
    return response
