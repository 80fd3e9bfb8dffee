"""One recipient's part of a call, and the calls that such parts make.

**What is hashed.** The payload of a recipient is the request that would carry it alone. A call with more recipients is
that very request with further pieces in the same places (`Frame`), so what the provider reads of a recipient, and what
all of them share, is byte for byte what a dry run showed, however many travel together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from syndicate.adapters.bodies import canonical
from syndicate.model import Payload, Request
from syndicate.model.value import value


@dataclass(frozen=True, slots=True)
class Frame:
    """What the recipients of one call share: the bytes around their pieces, and those between two recipients."""

    #: one more than there are places for pieces
    segments: tuple[bytes, ...]
    #: for each place what separates two recipients there
    joints: tuple[bytes, ...] = ()

    def around(self, pieces: Sequence[tuple[bytes, ...]]) -> bytes:
        """The body that carries these recipients; one piece of each for every place."""
        found = [self.segments[0]]
        for place, (joint, after) in enumerate(zip(self.joints, self.segments[1:], strict=True)):
            found += [joint.join(own[place] for own in pieces), after]
        return b"".join(found)


@value()
class Item(Request):
    """A request for one recipient that may travel in one call with others of the same frame."""

    frame: Frame = field(kw_only=True, repr=False)
    #: of this recipient, one for each place of the frame
    pieces: tuple[bytes, ...] = field(kw_only=True, repr=False)
    #: `Email.mark`, which comes back with every event
    mark: str = field(kw_only=True)


def item(url: str, frame: Frame, pieces: tuple[bytes, ...], mark: str, media_type: str = "application/json") -> Item:
    """The payload of one recipient."""
    headers = {"Content-Type": media_type, "Accept": "application/json"}
    return Item("POST", url, frame.around([pieces]), headers, frame=frame, pieces=pieces, mark=mark)


#: A call is a list of items and nothing else.
LIST = Frame((b"[", b"]"), (b",",))


def list_in(document: Mapping[str, Any], name: str) -> Frame:
    """The frame of an object that has the items in the list of this name.

    In JSON a quote inside of a string is escaped, so the name with its quotes and colon is found nowhere else.
    """
    before, at, after = canonical({**document, name: []}).partition(b'"%s":[' % name.encode())
    return Frame((before + at, after), (b",",))


def fits(first: Payload, size: int, following: Payload, most: int) -> bool:
    """Whether an item may travel with others, the `first` of them and `size` bytes so far."""
    return (
        isinstance(first, Item)
        and isinstance(following, Item)
        and (first.url, first.frame) == (following.url, following.frame)
        and size + weight(following) <= most
    )


def weight(payload: Payload) -> int:
    """Bytes that a call grows by."""
    return sum(len(piece) + 100 for piece in payload.pieces) if isinstance(payload, Item) else 0


def together(items: Sequence[Item]) -> Request:
    """One request that carries all of them."""
    first = items[0]
    return Request("POST", first.url, first.frame.around([one.pieces for one in items]), first.headers)


def batch_key(members: Sequence[tuple[str, str]]) -> str:
    """64 hex digits that name a call by its recipients: (key of the delivery, SHA-256 of its content), in order."""
    return sha256("".join(f"{key}\0{content}\n" for key, content in members).encode()).hexdigest()


def checked(name: str, payload: Payload) -> Item:
    """The payload, if it is one of ours."""
    if not isinstance(payload, Item):
        raise TypeError(f"{name} sends an Item, not {type(payload).__name__}")
    return payload
