"""Pages behind the links of letters: unsubscribing, preferences, and a letter in the browser."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from syndicate.audience.links import PREFERENCES, Holder, view
from syndicate.audience.signups import Answer, Visit
from syndicate.audience.tokens import Purpose
from syndicate.model import Kind, Letter
from syndicate.web import forms, pages
from syndicate.web.calls import Asked, Call
from syndicate.web.visitors import wording

#: A letter brings its own styles and shows pictures from anywhere; it can neither run nor send anything.
LETTER_POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def show_unsubscribe(call: Asked, token: str) -> Response:
    """What a look at the link shows: a button. Programs that follow links unsubscribe nobody."""
    holder = call.holder(Purpose.UNSUBSCRIBE, token)
    if holder is None:
        return call.unknown()
    return call.page(
        "unsubscribe",
        lists=call.desk.offers([holder.list]),
        address=masked(address_of(call, holder)),
        preferences=preferences_of(call, holder),
    )


def unsubscribe(call: Asked, token: str) -> Response:
    """One-click unsubscribing as RFC 8058 §3.2 has it, and the buttons of the page. Each may come any number of times.

    No cookie, no redirect, no look at where the request comes from: the token alone counts, for ever.
    """
    holder = call.holder(Purpose.UNSUBSCRIBE, token)
    if holder is None:
        return call.unknown()
    choices, does = call.desk.choices, call.one("do")
    if call.one("List-Unsubscribe") == "One-Click":
        choices.leave(holder, "one-click")
        return PlainTextResponse("You are unsubscribed.\n")
    if does in {"leave", "all"}:
        choices.leave(holder, "unsubscribe page", everywhere=does == "all")
        return call.page("left", everywhere=does == "all", lists=call.desk.offers([holder.list]))
    if does == "back":
        return came_back(call, holder)
    return PlainTextResponse("The body has to be List-Unsubscribe=One-Click.\n", 400)


def came_back(call: Call, holder: Holder) -> Response:
    """The last word is taken back, if it is not old."""
    if call.desk.choices.back(holder, pages.words(call.language).left.undo):
        return call.message("back")
    return call.message("late", status=410, again=bool(call.desk.offered))


def show_preferences(call: Asked, token: str) -> Response:
    """What somebody gets."""
    holder = call.holder(Purpose.PREFERENCES, token)
    return call.unknown() if holder is None else preferences(call, holder)


def preferences(call: Call, holder: Holder, *, notice: str = "", trouble: str = "") -> Response:
    """The page, after `notice` or before `trouble` was mended."""
    desk = call.desk
    active = list(desk.choices.active(holder))
    known = desk.choices.subscriber(holder)
    offered = desk.offered if holder.reader else [holder.list]
    return call.page(
        "preferences",
        status=400 if trouble else 200,
        lists=desk.offers(dict.fromkeys((*offered, *active))),
        chosen=active,
        named=bool(holder.reader),
        name=known.name if known else "",
        address=masked(address_of(call, holder)),
        notice=notice,
        trouble=trouble,
    )


def choose(call: Asked, token: str) -> Response:
    """Takes the page back. Leaving is done at once; whoever wants more is asked for confirmation, like anybody else."""
    holder = call.holder(Purpose.PREFERENCES, token)
    if holder is None:
        return call.unknown()
    says, does = pages.words(call.language).preferences, call.one("do")
    if does == "all":
        call.desk.choices.leave(holder, "preferences page", everywhere=True)
        return preferences(call, holder, notice=says.saved)
    if does != "save":
        return PlainTextResponse("This is not what the page sends.\n", 400)
    name = forms.name_of(call.one("name"))
    if name is None:
        return preferences(call, holder, trouble=says.refused)
    if len(call.form.get("name", ())) == 1:
        call.desk.choices.rename(holder, name)
    answer = change(call, holder)
    if answer is Answer.BUSY:
        return preferences(call, holder, trouble=pages.words(call.language).busy.text)
    return preferences(call, holder, notice=says.mailed if answer else says.saved)


def change(call: Call, holder: Holder) -> Answer | None:
    """Leaves what is not chosen any more; what becomes of what is chosen anew, None if nobody has to be asked."""
    desk = call.desk
    chosen = call.form.get("list", ())
    active = desk.choices.active(holder)
    for name in active:
        if name not in chosen:
            desk.choices.leave(Holder(name, holder.reader, holder.address), "preferences page")
    offered, address = desk.offered if holder.reader else [holder.list], address_of(call, holder)
    wanted = [name for name in offered if name in chosen and name not in active]
    if not (wanted and address):
        return None
    if not holder.reader:
        desk.choices.back(holder, "")
        return None
    answer = desk.signups.ask(Visit(address, tuple(wanted), wording(call, wanted), agent=call.agent))
    call.request.app.state.wake()
    return answer


def address_of(call: Call, holder: Holder) -> str:
    """Empty for whoever was erased."""
    known = call.desk.choices.subscriber(holder)
    return known.address if known else holder.address


def masked(address: str) -> str:
    """`a…@example.org`: tells people with several addresses which one it is, and nobody else what it is."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}…{at}{domain}" if at else ""


def preferences_of(call: Call, holder: Holder) -> str:
    """The path of the reader's preferences; empty for a reader from a file, whose one list is here already."""
    if not holder.reader:
        return ""
    return f"{call.desk.prefix}/{PREFERENCES}/{call.desk.keys.member(Purpose.PREFERENCES, holder.reader, 0)}"


def show_letter(call: Asked, seal: str, key: str) -> Response:
    """An edition as everybody may see it: nothing in it is any reader's own."""
    from syndicate.render.freeze import thaw
    from syndicate.render.slots import anonymous

    desk = call.desk
    if not desk.keys.sealed(Purpose.VIEW, key, seal):
        return call.unknown()
    ledger = desk.app.ledger()
    row = ledger.edition(key)
    if row is None or row.kind != Kind.DIGEST or not row.begun:  # it may never be sent
        return call.unknown()
    letter = thaw(ledger.frozen(key))
    assert isinstance(letter, Letter)  # digests are
    base = desk.publication.links.rstrip("/")
    own = dict.fromkeys(("unsubscribe", "preferences"), f"{base}/subscribe")
    html = anonymous(letter.html, own | {"view": view(desk.keys, base, key)})
    return HTMLResponse(html, headers={"Content-Security-Policy": LETTER_POLICY})
