"""Mails of strangers: real bounces and complaints are understood, all else changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.feedback.mail import LARGEST, Ours, reports
from syndicate.feedback.verp import return_address
from syndicate.model.feedback import ReportKind
from tests.feedback import mails
from tests.feedback.mails import BOUNCES, MARK, SECRET

OURS = Ours(BOUNCES, (SECRET,))
SENDER = return_address(BOUNCES, 4711, SECRET)
FORGED = "bounces+4711.aaaaaaaa@news.example.com"


@pytest.mark.parametrize("form", [mails.postfix, mails.exchange, mails.gmail, mails.yahoo])
def test_d_29_the_bounces_of_the_big_servers_are_understood(form: object) -> None:
    (report,) = reports(form(SENDER), OURS)  # type: ignore[operator]
    assert report.kind is ReportKind.HARD
    assert report.recipient == "ada@example.org"
    assert report.delivery == 4711
    assert report.mark == MARK
    assert "\n" not in report.text


def test_d_29_an_answer_keeps_the_code_and_the_words_of_the_server() -> None:
    (report,) = reports(mails.exchange(SENDER), OURS)
    assert report.status == "5.1.10"
    assert report.text.startswith("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found")


@pytest.mark.parametrize(
    ("action", "kind"),
    [("failed", "hard"), ("failed (permanent)", "hard"), ("delayed", "deferred"), ("delivered", "delivered")],
)
def test_an_action_says_whether_it_failed(action: str, kind: str) -> None:
    (report,) = reports(mails.postfix(SENDER, action=action), OURS)
    assert report.kind == kind


@pytest.mark.parametrize("action", ["relayed", "expanded", "", "opened"])
def test_an_action_that_ends_nothing_says_nothing(action: str) -> None:
    assert reports(mails.postfix(SENDER, action=action), OURS) == []


def test_the_same_mail_has_the_same_name_and_another_one_another() -> None:
    first, again, other = (
        reports(mails.postfix(SENDER, status=code), OURS)[0].id for code in ("5.1.1", "5.1.1", "4.2.2")
    )
    assert first == again != other


@pytest.mark.parametrize("form", [mails.vacation, mails.read_receipt])
def test_d_29_an_autoreply_that_looks_like_a_bounce_is_none(form: object) -> None:
    assert reports(form(SENDER), OURS) == []  # type: ignore[operator]


def test_t_25_a_bounce_that_names_no_mail_of_ours_is_nothing() -> None:
    assert reports(mails.bounce("bounces@news.example.com", "Action: failed\n", mark="x"), OURS) == []
    forged = mails.postfix(FORGED).replace(MARK.encode(), b"not-of-ours")
    assert reports(forged, OURS) == []


def test_t_25_a_forged_return_address_names_no_delivery() -> None:
    (report,) = reports(mails.postfix(FORGED), OURS)
    assert report.delivery == 0
    assert report.mark == MARK  # which is looked up with the recipient, and verified before anything is done


def test_d_30_a_complaint_is_known_by_the_return_address_of_the_mail_in_it() -> None:
    (report,) = reports(mails.complaint("fbl@example.com", SENDER), OURS)
    assert (report.kind, report.delivery, report.recipient) == (ReportKind.COMPLAINT, 4711, "ada@example.org")


def test_d_30_a_redacted_recipient_is_read_from_the_mail_itself() -> None:
    data = mails.complaint("fbl@example.com", SENDER).replace(b"Original-Rcpt-To: ada@example.org\r\n", b"")
    assert reports(data, OURS)[0].recipient == "ada@example.org"


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("abuse", ReportKind.COMPLAINT),
        ("Fraud", ReportKind.COMPLAINT),
        ("not-spam", ReportKind.NOT_SPAM),
        ("opt-out-list", ReportKind.UNSUBSCRIBED),
        ("auth-failure", ReportKind.OTHER),
        ("virus", ReportKind.OTHER),
        ("tomorrow's", ReportKind.OTHER),
    ],
)
def test_d_30_the_type_of_a_feedback_report_decides(kind: str, meant: ReportKind) -> None:
    (report,) = reports(mails.complaint("fbl@example.com", SENDER, kind=kind), OURS)
    assert report.kind is meant


def test_d_29_a_mail_of_more_than_a_megabyte_is_not_read() -> None:
    head, _, tail = mails.postfix(SENDER).partition(b"sorry")
    assert reports(head + b"x" * (LARGEST + 1) + tail, OURS) == []
    assert reports(head + b"x\r\n" * 1000 + tail, OURS) != []


def nested(levels: int) -> bytes:
    inner = mails.postfix(SENDER)
    for level in range(levels):
        boundary = f"b{level}".encode()
        head = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n--' + boundary + b"\r\n"
        inner = head + inner + b"\r\n--" + boundary + b"--\r\n"
    return inner


@pytest.mark.parametrize("levels", [9, 40, 5000])
def test_d_29_a_mail_of_many_levels_is_not_read(levels: int) -> None:
    assert reports(nested(levels), OURS) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 1000,
        b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n",
        b'Content-Type: multipart/report; report-type="delivery-status"; boundary=""\r\n\r\n--\r\n',
        b"Content-Type: multipart/report; report-type*=utf-8''delivery-status; boundary=b\r\n\r\n--b--\r\n",
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: \r\n\r\n",
    ],
)
def test_broken_mails_are_nothing(data: bytes) -> None:
    assert reports(data, OURS) == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_bounce_that_is_broken_anywhere_never_raises_nor_names_another_delivery(data: st.DataObject) -> None:
    mail = bytearray(mails.gmail(SENDER))
    for _ in range(data.draw(st.integers(1, 20))):
        mail[data.draw(st.integers(0, len(mail) - 1))] = data.draw(st.integers(0, 255))
    assert {report.delivery for report in reports(bytes(mail), OURS)} <= {0, 4711}


def test_hostile_words_lose_their_control_characters() -> None:
    (report,) = reports(mails.postfix(SENDER, diagnosis="550 5.1.1 \x1b]0;evil\x07 <script>" + "x" * 5000), OURS)
    assert report.text.isprintable()
    assert len(report.text) <= 500


def test_without_a_mailbox_for_bounces_only_the_message_id_counts() -> None:
    (report,) = reports(mails.postfix(SENDER), Ours("", (SECRET,)))
    assert (report.delivery, report.mark) == (0, MARK)
