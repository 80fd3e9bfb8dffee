"""The SMTP adapter against a server that misbehaves at every step, and against one that is not ours."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from pydantic import ValidationError

from syndicate.adapters.smtp import Smtp, SmtpOptions
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Mail, Outcome, Paused, Receipt, Refused
from syndicate.testing.certificates import Authority, authority
from syndicate.testing.messages import email, letter, mail, post
from syndicate.testing.smtp import Fault, SmtpServer

PASSWORD = "correct horse battery"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def adapter(server: SmtpServer, **options: object) -> Smtp:
    settings = {"host": "127.0.0.1", "port": server.port, "tls": "none", "helo": "client.test", **options}
    return Smtp(SmtpOptions.model_validate(settings))


def send(server: SmtpServer, *mails: Mail, **options: object) -> list[Outcome]:
    smtp = adapter(server, **options)
    with smtp.open() as session:
        return [smtp.send(session, one, "key") for one in mails or (mail(),)]


def verbs(server: SmtpServer) -> list[str]:
    return [line.split()[0] for line in server.commands]


def test_a_server_that_takes_data_without_a_recipient_gets_an_empty_message(server: SmtpServer) -> None:
    # RFC 2920 §3.1: with DATA in the same group, 354 may come although RCPT was refused
    server.fault("rcpt", Fault(b"550 5.1.1 no such user\r\n"))
    server.fault("data", Fault(b"354 go ahead\r\n"))
    mails = [mail("gone@example.org"), mail("here@example.org")]
    server.take_data_without_recipients = True
    gone, here = send(server, *mails)
    assert isinstance(gone, Refused)
    assert isinstance(here, Receipt)
    assert [(one.recipient, one.data) for one in server.journal] == [("here@example.org", mails[1].data)]


def test_one_connection_carries_many_mails(server: SmtpServer) -> None:
    outcomes = send(server, *(mail(f"reader{number}@example.org") for number in range(20)))
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert server.connections == 1
    assert len(server.journal) == 20
    assert verbs(server)[-1] == "QUIT"


def test_the_bytes_arrive_as_they_are(server: SmtpServer) -> None:
    message = email(of=letter(text=".\r\n..\r\n.dot\r\n\r\n"))
    payload = adapter(server).compose(message)
    send(server, payload)
    (kept,) = server.journal
    assert kept.data == message.data == payload.content
    assert (kept.sender, kept.recipient) == ("news@example.com", "ada@example.org")


@pytest.mark.parametrize("after", [0, 3])
def test_d10_a_server_that_hangs_up_between_mails_is_called_again(server: SmtpServer, after: int) -> None:
    server.fault("idle", Fault(None, "close"), after=after)
    outcomes = send(server, *(mail(f"reader{number}@example.org") for number in range(6)))
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert [one.recipient for one in server.journal] == [f"reader{number}@example.org" for number in range(6)]
    assert server.connections == 2


def test_a_good_bye_between_mails_is_no_answer_to_the_next(server: SmtpServer) -> None:
    server.fault("idle", Fault(b"421 4.4.2 idle for too long\r\n", "close"))
    assert all(isinstance(outcome, Receipt) for outcome in send(server, mail(), mail()))
    assert server.connections == 2


def test_a_good_bye_in_answer_to_mail_sends_us_to_another_connection(server: SmtpServer) -> None:
    server.fault("mail", Fault(b"421 4.7.0 too many messages\r\n", "close"), after=1)
    assert all(isinstance(outcome, Receipt) for outcome in send(server, mail(), mail()))
    assert server.connections == 2


def test_a_pause_that_is_asked_for_is_kept(server: SmtpServer) -> None:
    server.fault("mail", Fault(b"421 4.7.28 rate\r\n", "close"), after=1)
    assert [type(outcome) for outcome in send(server, mail(), mail())] == [Receipt, Deferred]
    assert server.connections == 1


def test_the_rate_limit_of_google_asks_for_ten_minutes(server: SmtpServer) -> None:
    server.fault("dot", Fault(b"421-4.7.28 rate\r\n421 4.7.28 x\r\n", "close"))
    (outcome,) = send(server)
    assert isinstance(outcome, Deferred)
    assert outcome.after is not None
    assert outcome.after.total_seconds() == 600


def test_pipelining_is_used_only_where_it_is_offered(server: SmtpServer) -> None:
    server.offers = []
    server.fault("mail", Fault(b"450 later\r\n"))
    send(server)
    assert verbs(server) == ["EHLO", "MAIL", "RSET", "QUIT"]


def test_the_receipt_has_the_queue_id_and_the_servers_words(server: SmtpServer) -> None:
    assert send(server) == [Receipt(id="0001", status="250 2.0.0 queued as 0001")]


def test_hh23_words_of_a_server_are_safe_on_a_terminal(server: SmtpServer) -> None:
    server.fault("rcpt", Fault(b"550 \x1b]0;evil\x07 \xff<script>\r\n"))
    assert send(server) == [Refused(r"550 \x1b]0;evil\x07 \xff<script>")]


def test_an_ancient_server_is_greeted_with_helo(server: SmtpServer) -> None:
    server.fault("ehlo", Fault(b"502 5.5.1 what?\r\n"))
    assert isinstance(send(server)[0], Receipt)
    assert verbs(server)[:3] == ["EHLO", "HELO", "MAIL"]


def test_nobody_listens(server: SmtpServer) -> None:
    server.stop()
    (outcome,) = send(server)
    assert outcome == Deferred("connect: Connection refused")


# -- F-23: what the server offers ---------------------------------------------------------------------------------


def test_f23_hh07_a_mail_larger_than_size_is_not_begun(server: SmtpServer) -> None:
    server.offers = ["SIZE 10"]
    (outcome,) = send(server)
    assert outcome == Refused(f"the message has {len(mail().data)} bytes, the server takes 10")
    assert verbs(server) == ["EHLO", "QUIT"]


def test_f23_size_is_declared_and_zero_means_no_limit(server: SmtpServer) -> None:
    server.offers = ["SIZE 0"]
    send(server)
    assert server.journal[0].parameters == (f"SIZE={len(mail().data)}",)


@pytest.mark.parametrize(("offers", "expected"), [([], Refused), (["8BITMIME"], Receipt)])
def test_f23_eight_bits_need_8bitmime(server: SmtpServer, offers: list[str], expected: type[Outcome]) -> None:
    server.offers = offers
    (outcome,) = send(server, mail(data="Subject: x\r\n\r\nÜ\r\n".encode()))
    assert isinstance(outcome, expected)


@pytest.mark.parametrize(("offers", "expected"), [([], Refused), (["SMTPUTF8"], Receipt)])
def test_f23_an_international_address_needs_smtputf8(
    server: SmtpServer, offers: list[str], expected: type[Outcome]
) -> None:
    server.offers = offers
    (outcome,) = send(server, mail("δοκιμή@example.org"))
    assert isinstance(outcome, expected)


def test_d31_an_international_domain_goes_out_in_ascii(server: SmtpServer) -> None:
    assert adapter(server).compose(email("user@faß.de")).recipient == "user@xn--fa-hia.de"


# -- T-31, T-01: what is never spoken -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"a\n.\nMAIL FROM:<x@y.test>\r\n",
        b"a\r.\rb\r\n",
        b"a\r\n.\nb\r\n",
        b"a\n.\r\nb\r\n",
        b"a\0b\r\n",
        b"no end",
        b"",
    ],
)
def test_t31_a_message_that_could_become_two_is_refused(server: SmtpServer, data: bytes) -> None:
    (outcome,) = send(server, mail(data=data))
    assert isinstance(outcome, Refused)
    assert server.commands == []


@pytest.mark.parametrize("data", [b"a\r\n.\r\nMAIL FROM:<x@y.test>\r\n", b".\r\n", b"\r\n.\r\n.\r\n", b"..\r\n.\r\n"])
def test_t31_dots_that_end_a_message_are_doubled(server: SmtpServer, data: bytes) -> None:
    assert isinstance(send(server, mail(data=data))[0], Receipt)
    assert [one.data for one in server.journal] == [data]


@pytest.mark.parametrize(
    "address",
    ["a@x.test>\r\nRCPT TO:<v@x.test", "a@x.test\nDATA", "a b@x.test", "", "a", "@x.test", "a@", "a" * 65 + "@x.test"],
)
def test_t01_an_address_that_could_become_a_command_is_refused(server: SmtpServer, address: str) -> None:
    with pytest.raises(Unsupported):
        adapter(server).compose(email(address))
    assert isinstance(send(server, mail(address))[0], Refused)
    assert server.commands == []


def test_the_envelope_sender_may_be_another(server: SmtpServer) -> None:
    assert adapter(server, bounce_address="bounces@example.com").compose(email()).sender == "bounces@example.com"


def test_posts_are_refused(server: SmtpServer) -> None:
    with pytest.raises(Unsupported, match="not posts"):
        adapter(server).compose(post())


# -- F-21, T-32: TLS ----------------------------------------------------------------------------------------------

Tls = Callable[..., tuple[SmtpServer, dict[str, object]]]


@pytest.fixture
def tls(ca: Authority) -> Iterator[Tls]:
    servers = []

    def start(context: ssl.SSLContext | None = None, **kwargs: object) -> tuple[SmtpServer, dict[str, object]]:
        server = SmtpServer(tls=context or ca.server(), password=("news", PASSWORD), **kwargs)
        servers.append(server.__enter__())
        mode = "implicit" if kwargs.get("implicit") else "required"
        return server, {
            "host": "localhost", "tls": mode, "ca_file": ca.ca_file, "username": "news", "password": PASSWORD
        }  # fmt: skip

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN"])
def test_a_mail_goes_through_tls_and_auth(tls: Tls, implicit: bool, mechanisms: str) -> None:
    server, options = tls(implicit=implicit, mechanisms=mechanisms)
    assert all(isinstance(outcome, Receipt) for outcome in send(server, mail(), mail(), **options))
    assert server.connections == 1


def assert_nothing_was_told(server: SmtpServer) -> None:
    assert not {"AUTH", "MAIL", "RCPT", "DATA"} & set(verbs(server))


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("host", ["expired", "wrong host", "unknown authority"])
def test_f21_a_certificate_that_is_not_good(tls: Tls, ca: Authority, implicit: bool, host: str, tmp_path: Path) -> None:
    context = {
        "expired": lambda: ca.server(expired=True),
        "wrong host": lambda: ca.server("elsewhere.test"),
        "unknown authority": lambda: authority(tmp_path).server(),
    }[host]()
    server, options = tls(context, implicit=implicit)
    (outcome,) = send(server, **options)
    assert isinstance(outcome, Paused)
    assert "certificate of localhost is not trusted" in outcome.reason
    assert_nothing_was_told(server)


def test_f21_an_old_tls_is_refused(tls: Tls, ca: Authority) -> None:
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context = ca.server(newest=ssl.TLSVersion.TLSv1_1)
    server, options = tls(context)
    (outcome,) = send(server, **options)
    assert isinstance(outcome, Paused)
    assert outcome.reason.startswith("no TLS with localhost: ")
    assert_nothing_was_told(server)


def test_f21_starttls_stripped_from_the_offer(tls: Tls) -> None:
    server, options = tls()
    server.tls = None
    (outcome,) = send(server, **options)
    assert outcome == Paused("the server offers no STARTTLS", "Check `port` and `tls` of the account.")
    assert_nothing_was_told(server)


@pytest.mark.parametrize("answer", [b"454 4.7.0 TLS not available\r\n", b"502 5.5.1 no\r\n"])
def test_f21_starttls_refused(tls: Tls, answer: bytes) -> None:
    server, options = tls()
    server.fault("starttls", Fault(answer))
    assert isinstance(send(server, **options)[0], Paused)
    assert_nothing_was_told(server)


def test_f21_hh25_plaintext_behind_the_reply_to_starttls(tls: Tls) -> None:
    server, options = tls()
    server.fault("starttls", Fault(b"220 2.0.0 Ready\r\n250 injected\r\n"))
    (outcome,) = send(server, **options)
    assert isinstance(outcome, Paused)
    assert outcome.reason == "the server spoke between STARTTLS and the handshake"
    assert_nothing_was_told(server)


def test_a_server_that_hangs_up_in_the_handshake_is_tried_again_later(tls: Tls) -> None:
    server, options = tls()
    server.fault("starttls", Fault(b"220 2.0.0 Ready\r\n", "close"))
    assert isinstance(send(server, **options)[0], Deferred)


def test_certificates_that_cannot_be_read_pause_the_account(tls: Tls, tmp_path: Path) -> None:
    server, options = tls()
    (outcome,) = send(server, **{**options, "ca_file": tmp_path / "nowhere.pem"})
    assert isinstance(outcome, Paused)
    assert outcome.hint == "Check `ca_file`."


# -- F-19: signing in ---------------------------------------------------------------------------------------------


def test_f19_a_wrong_password_pauses_the_account_and_stays_secret(tls: Tls) -> None:
    server, options = tls()
    (outcome,) = send(server, **{**options, "password": "wrong horse"})
    assert outcome == Paused("535 5.7.8 bad credentials", "Check `username` and `password` of the account.")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(b"454 4.7.0 later\r\n", Deferred), (b"535 5.7.8 no\r\n", Paused), (b"534 5.7.9 no\r\n", Paused)],
)
def test_f19_answers_to_auth(tls: Tls, answer: bytes, expected: type[Outcome]) -> None:
    server, options = tls()
    server.fault("auth", Fault(answer))
    assert isinstance(send(server, **options)[0], expected)
    assert server.journal == []


def test_a_server_that_repeats_the_password_does_not_get_it_into_a_reason(tls: Tls) -> None:
    server, options = tls()
    server.fault("auth", Fault(f"535 5.7.8 not {PASSWORD}\r\n".encode()))
    assert send(server, **options)[0] == Paused("535 5.7.8 not ***", "Check `username` and `password` of the account.")


def test_a_server_without_a_mechanism_we_know(tls: Tls) -> None:
    server, options = tls(mechanisms="CRAM-MD5")
    (outcome,) = send(server, **options)
    assert isinstance(outcome, Paused)
    assert "CRAM-MD5" in outcome.reason


def test_t32_a_password_in_the_clear_is_refused_in_the_configuration() -> None:
    with pytest.raises(ValidationError, match="in the clear") as caught:
        SmtpOptions.model_validate(
            {"host": "mail.example.com", "tls": "none", "username": "news", "password": PASSWORD}
        )
    assert PASSWORD not in str(caught.value)


# -- a server that is not ours ------------------------------------------------------------------------------------


class Keeper(Sink):
    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.kept.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 OK"


def test_aiosmtpd_gets_the_very_bytes(ca: Authority) -> None:
    keeper = Keeper()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        keeper, hostname="127.0.0.1", port=port, tls_context=ca.server(), require_starttls=True, server_hostname="test"
    )
    controller.start()
    try:
        smtp = Smtp(SmtpOptions(host="localhost", port=port, ca_file=ca.ca_file))
        mails = [smtp.compose(email(f"reader{n}@example.org", letter(text=".\r\n..dots\r\n"))) for n in range(3)]
        with smtp.open() as session:
            outcomes = [smtp.send(session, one, "key") for one in mails]
    finally:
        controller.stop()
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert keeper.kept == [(one.sender, [one.recipient], one.data) for one in mails]
