"""One courier for each account at a time: a slow or dead network holds up no other."""

import threading

import pytest

from syndicate.desks import Desks, in_turn, together


def test_accounts_work_at_the_same_time_and_answer_in_their_order() -> None:
    meeting = threading.Barrier(3, timeout=5)

    def job(name: str) -> list[str]:
        meeting.wait()  # nobody gets past it alone
        return [name]

    assert together({name: lambda name=name: job(name) for name in "abc"}) == ["a", "b", "c"]  # type: ignore[misc]


def test_in_turn_nothing_runs_beside_anything() -> None:
    main = threading.current_thread()
    assert in_turn({"a": lambda: [threading.current_thread()], "b": list}) == [main]
    assert together({"a": lambda: [threading.current_thread()]}) == [main]


def test_a_slow_account_holds_up_no_other_and_is_told_of_when_it_ends() -> None:
    release, begun = threading.Event(), []

    def slow() -> list[str]:
        begun.append(1)
        release.wait(5)
        return ["slow"]

    desks = Desks(patience=0.01)
    try:
        assert desks({"slow": slow}) == []
        told = desks({"slow": slow, "fast": lambda: ["fast"]})
        while not told:  # a thread may need longer to begin than anybody waits
            told = desks({"slow": slow})
        assert told == ["fast"]
        release.set()
        desks.close()
        assert desks({}) == ["slow"]
        assert begun == [1]
    finally:
        release.set()
        desks.close()


def test_what_nobody_foresaw_reaches_whoever_waits() -> None:
    def broken() -> list[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        together({"a": broken, "b": list})
    desks = Desks()
    with pytest.raises(ZeroDivisionError):
        desks({"a": broken})
    assert desks({"a": lambda: ["works again"]}) == ["works again"]
    desks.close()
