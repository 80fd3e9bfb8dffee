"""No fault without a test, no test of a fault that nobody knows."""

from tests.faults import FAULTS, NOT_HERE, covered


def test_every_fault_has_a_test_or_a_reason_why_not() -> None:
    assert set(FAULTS) - set(covered()) - set(NOT_HERE) == set()


def test_what_cannot_be_proved_here_is_not_claimed_to_be() -> None:
    assert set(NOT_HERE) & set(covered()) == set()
    assert set(NOT_HERE) <= set(FAULTS)
    assert all(NOT_HERE.values())


def test_tests_name_only_faults_that_there_are() -> None:
    assert set(covered()) <= set(FAULTS)


def test_the_rows_of_a_table_count_for_the_test_that_runs_them() -> None:
    assert [name for name in covered()["F-11"] if name.endswith("::test_the_fault_matrix")]
