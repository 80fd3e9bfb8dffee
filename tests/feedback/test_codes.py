"""What a code or a word means for the reader: a table."""

import pytest

from syndicate.feedback.codes import bounce_kind, is_ours, status_in

HARD, SOFT, POLICY = "hard", "soft", "policy"


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        ("5.1.1", "", HARD),
        ("5.1.2", "", HARD),
        ("5.1.3", "", HARD),
        ("5.1.10", "", HARD),
        ("5.2.1", "", HARD),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. NoSuchDomain", HARD),
        ("4.2.2", "452 4.2.2 The email account that you tried to reach is over quota", SOFT),
        ("5.2.2", "552 5.2.2 mailbox full", SOFT),
        ("5.4.4", "Host or domain name not found", SOFT),
        ("4.4.7", "delivery time expired", SOFT),
        ("4.1.1", "450 4.1.1 unverified recipient", SOFT),
        ("5.7.1", "550 5.7.1 message blocked", POLICY),
        ("5.7.26", "550 5.7.26 unauthenticated", POLICY),
        ("5.7.515", "Access denied, sending domain does not meet the required authentication level", POLICY),
        ("4.7.28", "421 4.7.28 rate", POLICY),
        ("5.3.4", "552 5.3.4 message too big", POLICY),
        ("5.6.0", "550 5.6.0 lone CR or LF in body", POLICY),
        ("5.1.8", "553 5.1.8 sender address rejected: domain not found", POLICY),
        ("", "550 5.1.1 no such user", HARD),
        ("5.0.0", "smtp; 550 5.1.1 user unknown", HARD),
        ("5.0.0", "554 delivery error: This mailbox is disabled (554.30).", HARD),
        ("5.0.0", "554 rejected due to spam content", POLICY),
        ("", "550 No such user here", HARD),
        ("", "550 blocked using zen.spamhaus.org", POLICY),
        ("", "450 user unknown, try again later", SOFT),
        ("", "550 requested action not taken", SOFT),
        ("", "", SOFT),
        ("nonsense", "\x00 5.9999.1", SOFT),
    ],
)
def test_d_32_a_code_decides_what_kind_of_bounce_it_is(status: str, text: str, kind: str) -> None:
    assert bounce_kind(status, text) == kind


def test_a_code_is_found_in_words_and_written_without_leading_zeros() -> None:
    assert status_in("550-5.01.001 no") == "5.1.1"
    assert status_in("from 10.5.1.1 by mx") == ""


def test_d_11_what_speaks_of_our_set_up_is_told_from_a_readers_filter() -> None:
    assert all(map(is_ours, ("5.7.515", "5.7.26", "4.7.27")))
    assert not any(map(is_ours, ("5.7.1", "5.1.1", "")))
