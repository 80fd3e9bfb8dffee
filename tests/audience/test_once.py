"""A set of numbers that is not in memory."""

from contextlib import closing

from syndicate.audience.once import Once


def test_a_number_is_there_for_the_first_time_once() -> None:
    extremes = [0, -1, 2**63 - 1, -(2**63)]
    with closing(Once()) as known:
        assert [known.add(number) for number in extremes] == [True] * 4
        assert [known.add(number) for number in extremes] == [False] * 4


def test_two_sets_know_nothing_of_each_other() -> None:
    with closing(Once()) as one, closing(Once()) as other:
        assert one.add(7)
        assert other.add(7)


def test_more_than_its_cache_holds_stays_known() -> None:
    with closing(Once()) as known:
        many = [number * 0x9E3779B97F4A7C15 % 2**63 for number in range(300_000)]
        assert all(known.add(number) for number in many)
        assert not any(known.add(number) for number in many[::1000])
