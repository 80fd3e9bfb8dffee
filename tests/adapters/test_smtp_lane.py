"""One loop over many connections: what is fed, noted, given up and tried again."""

import resource
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from syndicate.adapters.smtp import Smtp, SmtpOptions
from syndicate.adapters.smtp_allowance import GROWTH, Allowance
from syndicate.adapters.smtp_lane import TOGETHER, SmtpLane
from syndicate.adapters.smtp_protocol import Conversation
from syndicate.errors import LedgerError
from syndicate.model import Deferred, Paused, Receipt, Refused, Request, Unknown
from syndicate.model.lane import Job, Tried
from syndicate.testing.certificates import Authority, authority
from syndicate.testing.messages import mail
from syndicate.testing.smtp import Fault, SmtpServer
from tests.adapters.smtp_lanes import Notes, answers, job, jobs, lane, many

FIN = "close"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def adapter(server: SmtpServer, connections: int = 1, **options: object) -> Smtp:
    settings = {"host": "127.0.0.1", "port": server.port, "tls": "none", "helo": "client.test", **options}
    return Smtp(SmtpOptions.model_validate({**settings, "connections": connections}))


def recipients(server: SmtpServer) -> Counter[str]:
    return Counter(one.recipient for one in server.journal)


def once_each(count: int) -> Counter[str]:
    return Counter(f"reader{number}@example.org" for number in range(count))


@pytest.mark.parametrize("pipelining", ["ride", "envelope", "off"])
@pytest.mark.parametrize("connections", [1, 3, 10])
def test_every_mail_arrives_once_over_all_connections(server: SmtpServer, connections: int, pipelining: str) -> None:
    record = Notes()
    found = answers(adapter(server, connections, pipelining=pipelining), many(100), record)
    assert all(isinstance(outcome, Receipt) for outcome in found.values())
    assert recipients(server) == once_each(100)
    assert server.connections == connections
    assert record.ended == found
    assert record.most_in_doubt <= connections


def test_the_bytes_of_a_large_mail_arrive_whole_however_slowly_they_are_taken(server: SmtpServer) -> None:
    mails = [mail(f"reader{n}@example.org", b".%d\r\n" % n + b"x" * 3_000_000 + b"\r\n" * 9) for n in range(3)]
    answers(adapter(server, 2), jobs(*mails))
    assert {one.recipient: one.data for one in server.journal} == {one.recipient: one.data for one in mails}


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_and_auth_run_in_the_same_loop(ca: Authority, implicit: bool) -> None:
    mails = [mail(f"reader{n}@example.org", b"x" * 900_000 + b"\r\n") for n in range(12)]
    with SmtpServer(tls=ca.server(), password=("news", "sesame"), implicit=implicit) as server:
        mode = {"tls": "implicit" if implicit else "required", "ca_file": ca.ca_file, "host": "localhost"}
        found = answers(adapter(server, 4, username="news", password="sesame", **mode), jobs(*mails))
        assert all(isinstance(outcome, Receipt) for outcome in found.values())
        assert {one.recipient: one.data for one in server.journal} == {one.recipient: one.data for one in mails}
        assert server.connections == 4


def test_a_host_of_many_addresses_is_tried_at_each(server: SmtpServer) -> None:
    # `localhost` is ::1 first on many machines, and there nobody listens
    assert isinstance(answers(adapter(server, host="localhost"), many(1))[0], Receipt)


def test_nothing_is_opened_for_nothing(server: SmtpServer) -> None:
    assert answers(adapter(server, 10), many(0)) == {}
    assert server.connections == 0


def test_there_are_no_more_connections_than_mails(server: SmtpServer) -> None:
    answers(adapter(server, 10), many(1))
    assert server.connections == 1


def test_no_job_is_taken_before_a_connection_can_start_it(server: SmtpServer) -> None:
    taken: list[Job] = []

    def counted() -> Iterator[Job]:
        for one in many(200):
            taken.append(one)
            yield one

    settled = 0
    for tried in lane(adapter(server, 3)).run(counted(), Notes()):
        # one whose dot is out and one whose envelope rides behind it, for each connection; and what was just answered
        settled += tried is not None
        assert len(taken) - settled <= 3 * 2 + 2 * 3
    assert settled == 200


def test_a_message_that_was_asked_for_is_written_before_the_next_is_composed(
    server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    def output(talk: Conversation, real: Callable[[Conversation], bytes] = Conversation.output) -> bytes:
        said = real(talk)
        happened.extend(["written"] * said.startswith(b"Subject"))
        return said

    def composed() -> Iterator[Job]:
        for one in jobs(*[mail(data=b"Subject: x\r\n")] * 5):
            happened.append("composed")
            yield one

    monkeypatch.setattr(Conversation, "output", output)
    answers(adapter(server), composed())
    assert happened == ["composed", "written"] * 5


def test_few_mails_are_composed_before_the_first_of_them_leaves(server: SmtpServer) -> None:
    record, most = Notes(), [0]

    def composed() -> Iterator[Job]:
        for number, one in enumerate(many(300)):
            if number >= 60:  # all connections stand, and have a mail
                most.append(number - len(record.began))
            yield one

    answers(adapter(server, 30), composed(), record)
    # one on its way over each connection, and those that are composed together
    assert max(most) <= 30 + TOGETHER


# -- silence ------------------------------------------------------------------------------------------------------


def test_silence_on_one_connection_holds_up_no_other(server: SmtpServer) -> None:
    server.fault("dot", Fault(b"", "hang", keep=True))
    found = answers(adapter(server, 2, final_timeout=0.6), many(40))
    assert Counter(type(outcome) for outcome in found.values()) == {Receipt: 39, Unknown: 1}
    assert recipients(server) == once_each(40)


def test_the_lane_speaks_up_while_it_waits(server: SmtpServer) -> None:
    server.fault("dot", Fault(b"", "hang"))
    found = list(lane(adapter(server, final_timeout=0.6)).run(many(1), Notes()))
    assert found[0] is None
    assert [type(tried.outcome) for tried in found if tried] == [Unknown]


@pytest.mark.parametrize("pipelining", ["ride", "off"])
def test_f12_a_large_mail_that_is_cut_off_is_certainly_not_accepted(server: SmtpServer, pipelining: str) -> None:
    server.offers = ["PIPELINING"]
    server.fault("body", Fault(None, "reset"))
    record = Notes()
    mails = [mail("reader0@example.org", b"x" * 30_000_000 + b"\r\n"), mail("reader1@example.org")]
    found = answers(adapter(server, pipelining=pipelining), jobs(*mails), record)
    assert [type(found[number]) for number in range(2)] == [Deferred, Receipt]
    assert 0 not in record.began
    assert recipients(server) == {"reader1@example.org": 1}


@pytest.mark.parametrize(
    ("step", "expected"), [("banner", Deferred), ("ehlo", Deferred), ("mail", Deferred), ("dot", Unknown)]
)
def test_f20_a_reply_that_comes_byte_by_byte_has_its_deadline(
    server: SmtpServer, step: str, expected: type[Deferred | Unknown]
) -> None:
    server.fault(step, Fault(b"250-" + b"x" * 1000, drip=0.02))
    found = answers(adapter(server, timeout=0.3, final_timeout=0.3), many(1))
    assert [type(outcome) for outcome in found.values()] == [expected]


def test_f22_every_mail_has_a_transaction_of_its_own(server: SmtpServer) -> None:
    answers(adapter(server, 1), many(7))
    verbs = [line.split()[0] for line in server.commands]
    assert verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * 7, "QUIT"]


# -- the attempt log ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 3])
def test_f30_what_cannot_be_noted_does_not_leave(server: SmtpServer, connections: int) -> None:
    record = Notes(fails_at=20)
    told = until_it_fails(lane(adapter(server, connections)).run(many(100), record))
    # what was noted before has left, was answered and is told; nothing else has
    assert told == record.began == record.ended.keys()
    assert 20 - connections < len(record.began) <= 20  # one write notes those of one moment
    assert recipients(server) == Counter(f"reader{number}@example.org" for number in record.began)


def until_it_fails(running: Iterator[Tried | None]) -> set[int]:
    told: set[int] = set()
    with pytest.raises(LedgerError, match="no space left"):
        told.update(tried.job.delivery.id for tried in running if tried)
    return told


def test_f30_what_rides_behind_a_dot_that_stays_without_an_answer_is_not_tried_again(server: SmtpServer) -> None:
    # One connection has waited in vain for an answer when the log breaks for the other.
    server.fault("dot", Fault(b"", "hang", keep=True), after=1)
    record = Notes(fails_at=3)
    told = until_it_fails(lane(adapter(server, 2, final_timeout=0.3)).run(many(9), record))
    assert told >= record.began == record.ended.keys()
    assert Counter(type(outcome) for outcome in record.ended.values()) == {Receipt: 2, Unknown: 1}
    assert recipients(server) == Counter(f"reader{number}@example.org" for number in record.began)


def test_an_answer_that_cannot_be_noted_is_told_all_the_same(server: SmtpServer) -> None:
    found = answers(adapter(server, 2), many(5), Notes(fails_at_end=True))
    assert [type(found[number]) for number in range(5)] == [Receipt] * 5


@pytest.mark.parametrize("after", [0, 1, 7])
def test_closed_early_it_lets_finish_what_is_on_the_wire(server: SmtpServer, after: int) -> None:
    record = Notes()
    running = lane(adapter(server, 3)).run(many(100), record)
    for _ in islice(running, after):
        pass
    running.close()
    assert record.in_doubt == set()
    assert recipients(server) == Counter(f"reader{number}@example.org" for number in record.began)


def test_a_fault_of_the_feeding_side_lets_finish_what_is_on_the_wire(server: SmtpServer) -> None:
    def broken() -> Iterator[Job]:
        yield from many(10)
        raise LedgerError("the ledger is locked")

    record = Notes()
    with pytest.raises(LedgerError, match="locked"):
        list(lane(adapter(server, 3)).run(broken(), record))
    assert record.in_doubt == set()
    assert recipients(server) == Counter(f"reader{number}@example.org" for number in record.began)


# -- servers that hang up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("word", [b"", b"421 4.4.2 enough for today\r\n"])
def test_d10_a_server_that_hangs_up_after_some_mails_costs_nothing(
    server: SmtpServer, connections: int, word: bytes
) -> None:
    for _ in range(6):
        server.fault("idle", Fault(word, FIN), after=4)
    found = answers(adapter(server, connections), many(60))
    assert all(isinstance(outcome, Receipt) for outcome in found.values())
    assert recipients(server) == once_each(60)


def test_a_server_that_bears_three_connections_gets_three() -> None:
    with SmtpServer(most=3) as server:
        found = answers(adapter(server, 10), many(60))
        assert all(isinstance(outcome, Receipt) for outcome in found.values())
        assert recipients(server) == once_each(60)
        assert server.most_at_once == 3


def test_f14_a_server_that_is_gone_costs_few_mails_and_ends_the_run(server: SmtpServer) -> None:
    server.stop()
    work = many(50)
    found = answers(adapter(server, 10), work)
    assert found == dict.fromkeys(range(3), Deferred("connect: Connection refused"))
    assert next(work).delivery.id == 3


def test_a_server_that_comes_back_gets_the_rest(server: SmtpServer) -> None:
    server.fault("banner", Fault(b"421 4.3.2 starting\r\n", FIN))
    found = answers(adapter(server, 2), many(20))
    assert Counter(type(outcome) for outcome in found.values()) == {Deferred: 1, Receipt: 19}


def test_a_run_does_not_wait_for_a_server_when_there_is_nothing_left_to_send(server: SmtpServer) -> None:
    server.stop()
    patient = SmtpLane(adapter(server).options, Allowance(1), pauses=(3600.0,))
    assert [type(tried.outcome) for tried in patient.run(many(1), Notes()) if tried] == [Deferred]


def test_a_name_that_nobody_knows_is_a_fault_of_the_moment(server: SmtpServer) -> None:
    (outcome,) = answers(adapter(server, host="mail.invalid."), many(1)).values()
    assert isinstance(outcome, Deferred)
    assert outcome.reason.startswith("connect: ")


def test_f36_without_a_free_file_descriptor_one_mail_tells_and_the_rest_is_left(server: SmtpServer) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        found = answers(adapter(server, 5), many(9))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found == {0: Deferred("connect: Too many open files")}


def test_f19_a_wrong_password_is_tried_once() -> None:
    with SmtpServer(password=("news", "sesame")) as server:
        found = answers(adapter(server, 10, username="news", password="guess"), many(50))
        assert {type(outcome) for outcome in found.values()} == {Paused}
        assert len(found) == 1
        assert server.connections == 1


def test_mails_that_no_server_could_take_are_refused_without_a_call(server: SmtpServer) -> None:
    payloads = [mail(data=b"a\n.\r\n"), mail("a b@example.org"), Request("GET", "https://example.org", b"")]
    found = answers(adapter(server, 3), (job(number, one) for number, one in enumerate(payloads)))
    assert [type(outcome) for outcome in found.values()] == [Refused] * 3
    assert server.connections == 0


# -- D-08: servers that want less ---------------------------------------------------------------------------------


def test_d08_after_a_rate_limit_one_connection_goes_on_and_others_come_back_one_by_one(server: SmtpServer) -> None:
    smtp = adapter(server, 4)
    for _ in range(3):
        server.fault("quit", Fault(b"221 2.0.0 good-bye\r\n", FIN, drip=0.005))  # who left is given nothing more
    server.fault("dot", Fault(b"450-4.7.28 rate\r\n450 4.7.28 x\r\n"), after=20)
    now = [0.0]
    allowance = Allowance(4)
    found = [
        tried.outcome
        for tried in SmtpLane(smtp.options, allowance, pauses=(), pulse=lambda: now[0]).run(many(60), Notes())
        if tried
    ]
    (limited,) = [outcome for outcome in found if not isinstance(outcome, Receipt)]
    assert isinstance(limited, Deferred)
    assert limited.after is not None
    assert limited.after.total_seconds() == 600
    assert server.commands.count("QUIT") == 4
    assert server.commands.index("QUIT") < len(server.commands) - 20  # long before the end, three have left
    assert [allowance.count(GROWTH * minute) for minute in range(5)] == [1, 2, 3, 4, 4]


def test_an_allowance_grows_by_one_and_no_further_than_was_wanted() -> None:
    allowance = Allowance(5)
    assert allowance.count(0) == 5
    allowance.refused(3, now=0)
    assert [allowance.count(GROWTH - 1), allowance.count(GROWTH), allowance.count(GROWTH + 1)] == [3, 4, 4]
    allowance.refused(0, now=GROWTH)
    assert allowance.count(GROWTH) == 1


# -- the contract of lanes ----------------------------------------------------------------------------------------


def test_two_lanes_of_one_adapter_do_not_meet(server: SmtpServer) -> None:
    smtp = adapter(server, 2)
    threads = [
        threading.Thread(target=lambda first=first: answers(smtp, islice(many(40), first, first + 20)))
        for first in (0, 20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert recipients(server) == once_each(40)


def test_nothing_of_a_connection_without_a_good_certificate_is_told(ca: Authority) -> None:
    with SmtpServer(tls=ca.server("elsewhere.test"), password=("news", "sesame")) as server:
        options = {"tls": "required", "ca_file": ca.ca_file, "host": "localhost"}
        found = answers(adapter(server, 5, username="news", password="sesame", **options), many(9))
        assert [type(outcome) for outcome in found.values()] == [Paused]
        assert [line.split()[0] for line in server.commands] == ["EHLO", "STARTTLS"]


def test_tls_of_a_server_that_hangs_in_the_handshake_has_its_deadline(ca: Authority) -> None:
    with SmtpServer(tls=ca.server(newest=ssl.TLSVersion.TLSv1_3)) as server:
        server.fault("starttls", Fault(b"220 go\r\n", "hang"))
        options = {"tls": "required", "ca_file": ca.ca_file, "host": "localhost", "connect_timeout": 0.2}
        found = answers(adapter(server, **options), many(1))
        assert found == {0: Deferred("STARTTLS: no answer for 0.2 s")}
