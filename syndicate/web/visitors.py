"""Sign-up with double opt-in: the form, and the page behind the link of the mail that asks for confirmation."""

from __future__ import annotations

from fastapi import Response

from syndicate.audience.addresses import is_role
from syndicate.audience.signups import Answer, Visit
from syndicate.audience.tokens import Purpose
from syndicate.model.address import normalise
from syndicate.model.people import Grounds
from syndicate.web import forms, pages
from syndicate.web.calls import Asked, Call


def show_form(call: Asked) -> Response:
    """The form."""
    offered = list(call.desk.offered)
    return form(call, chosen=offered if len(offered) == 1 else [])


def form(call: Call, *, chosen: list[str], address: str = "", trouble: str = "") -> Response:
    """The form with what was filled in already, and what has to be mended first."""
    desk = call.desk
    return call.page(
        "subscribe",
        status=400 if trouble else 200,
        lists=desk.offers(desk.offered),
        chosen=chosen,
        address=address,
        trouble=trouble,
        nonce=forms.seal(desk.keys, desk.app.clock()),
    )


def subscribe(call: Asked) -> Response:
    """Takes a form. Whether an address is known, may be mailed or has had its mail today, nobody can see."""
    desk, says = call.desk, pages.words(call.language).again
    chosen = [name for name in desk.offered if name in call.form.get("list", ())]
    given = call.one("email").strip()
    if call.form.get("website", [""]) != [""]:  # people do not see this field
        return sent(call)
    if not chosen:
        return form(call, chosen=[], address=given, trouble=says.lists)
    try:
        address = normalise(given)
    except ValueError:
        return form(call, chosen=chosen, address=given, trouble=says.address)
    if is_role(address):
        return form(call, chosen=chosen, address=given, trouble=says.address)
    age = forms.age(desk.keys, call.one("form"), desk.app.clock())
    if age is not forms.Age.FINE:
        return form(call, chosen=chosen, address=given, trouble=says.quick if age is forms.Age.QUICK else says.stale)
    visit = Visit(address, tuple(chosen), wording(call, chosen), call.one("form"), call.ip, call.agent)
    answer = desk.signups.ask(visit)
    if answer is Answer.BUSY:
        return call.message("busy", status=429)
    if answer is Answer.USED:
        return form(call, chosen=chosen, address=given, trouble=says.stale)
    call.request.app.state.wake()
    return sent(call)


def sent(call: Call) -> Response:
    """The same for everybody."""
    return call.message("sent", "spam")


def wording(call: Call, chosen: list[str]) -> str:
    """What the visitor has read and said yes to, for the record of consent."""
    consent = pages.words(call.language).subscribe.consent.format(publication=call.desk.publication.name)
    offers = (f"{one.title}: {one.says}" for one in call.desk.offers(chosen))
    return "\n".join((consent, *offers))


def ask_confirmation(call: Asked, token: str) -> Response:
    """What a look at the link shows: a button. Programs that follow links confirm nothing."""
    holder = call.holder(Purpose.CONFIRM, token)
    if holder is None:
        return call.unknown()
    waiting = [one.list for one in call.desk.choices.pending(holder)]
    if waiting:
        return call.page("confirm", lists=call.desk.offers(waiting))
    return confirmed(call, holder.reader, list(call.desk.choices.active(holder)))


def confirm(call: Asked, token: str) -> Response:
    """The button was pressed; once more is the same."""
    holder = call.holder(Purpose.CONFIRM, token)
    if holder is None:
        return call.unknown()
    text = pages.words(call.language).confirm
    shown = f"{text.text.format(publication=call.desk.publication.name)} {text.button}"
    grounds = Grounds("confirmation", shown, "link of the mail that asked for it", call.ip, call.agent[:200])
    names = call.desk.choices.confirm(holder, call.form.get("list", ()), grounds)
    return confirmed(call, holder.reader, list(names))


def confirmed(call: Call, reader: int, names: list[str]) -> Response:
    """Welcome, if they are on any list; else the link has done its work."""
    desk = call.desk
    if not names:
        return call.message("expired", status=410, again=bool(desk.offered))
    preferences = f"{desk.prefix}/p/{desk.keys.member(Purpose.PREFERENCES, reader, 0)}"
    return call.message("confirmed", lists=desk.offers(names), preferences=preferences)
