"""A segment's conditions as SQL: expressions of SQLAlchemy Core, in which every value is a parameter."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import REAL, ColumnElement, and_, cast, collate, exists, false, func, not_, or_, select

from syndicate.database.people import member, subscriber, tag
from syndicate.database.plain import micros
from syndicate.model.segments import Compared, Condition, Literal, Not, Several, Tagged

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTS: Mapping[str, ColumnElement[str]] = {
    "address": subscriber.c.person,
    "domain": func.substr(subscriber.c.person, func.instr(subscriber.c.person, "@") + 1),
    "name": subscriber.c.name,
}
_MOMENTS: Mapping[str, ColumnElement[int]] = {"joined": member.c.joined, "created": subscriber.c.created}
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"


def condition(of: Condition, zone: ZoneInfo) -> ColumnElement[bool]:
    """True or false, never NULL, for a row of `member` joined with `subscriber`. Days are those of `zone`."""
    match of:
        case Tagged(name):
            return exists(select(tag.c.name).where(tag.c.subscriber == subscriber.c.id, tag.c.name == name))
        case Not(inner):
            return not_(condition(inner, zone))
        case Several(word, parts):
            return (and_ if word == "and" else or_)(*(condition(part, zone) for part in parts))
        case Compared(name, "in", values):
            return or_(*(_compared(name, "=", value, zone) for value in values))
        case Compared(name, "!=", (value,)):
            return not_(_compared(name, "=", value, zone))
        case Compared(name, sign, (value, *_)):
            return _compared(name, sign, value, zone)
    raise AssertionError(of)


def _compared(name: str, sign: str, value: Literal, zone: ZoneInfo) -> ColumnElement[bool]:
    """Who has no such field has an empty text there; any other comparison with it is false, and never NULL."""
    if name in _MOMENTS and isinstance(value, date):
        return _on_day(_MOMENTS[name], sign, value, zone)
    known = _TEXTS.get(name)
    found = func.json_extract(subscriber.c.fields, f'$."{name}"') if known is None else known
    if sign == "=":
        found = func.coalesce(found, "")
    return func.coalesce(_of_kind(found, sign, value), false())


def _of_kind(found: ColumnElement[Any], sign: str, value: Literal) -> ColumnElement[bool]:
    """Texts without regard to the case of a-z; numbers and days only where the text is one."""
    compare = _SIGNS[sign]
    if isinstance(value, date):
        return and_(found.op("GLOB")(_DAY), compare(func.substr(found, 1, 10), value.isoformat()))
    if isinstance(value, float):
        return and_(found.op("GLOB")("[0-9-]*"), compare(cast(found, REAL), value))
    return compare(collate(found, "NOCASE"), value)  # type: ignore[no-any-return]


def _on_day(moment: ColumnElement[int], sign: str, day: date, zone: ZoneInfo) -> ColumnElement[bool]:
    """Before, on or after a day, from one midnight to the next."""
    start, end = (micros(datetime.combine(one, time(), zone)) for one in (day, day + timedelta(days=1)))
    match sign:
        case "<":
            return moment < start
        case ">=":
            return moment >= start
        case "<=":
            return moment < end
        case ">":
            return moment >= end
    return and_(moment >= start, moment < end)
