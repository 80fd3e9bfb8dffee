"""Mailboxes: a Maildir on this disk and a real IMAP conversation; what was read is marked only after it was kept."""

import os
from pathlib import Path

import pytest

from syndicate.errors import SyndicateError
from syndicate.feedback import mailbox
from syndicate.feedback.mail import LARGEST
from syndicate.feedback.mailbox import Options, opened
from syndicate.testing.certificates import authority
from syndicate.testing.imap import ImapServer

MAIL = b"Subject: one\r\n\r\nHello.\r\n"
OTHER = b"Subject: two\r\n\r\n) A1 OK no\r\n"


def options(server: ImapServer, **changes: object) -> Options:
    """An account at the server."""
    values = {"imap": "localhost", "port": server.port, "tls": "none", "username": "bounces", "password": "right"}
    return Options.model_validate(values | changes)


def take(wanted: Options) -> list[bytes]:
    """Reads all that is unread, and says so."""
    with opened(wanted) as box:
        found = list(box.unread())
        box.read([name for name, _ in found])
    return [data for _, data in found]


def test_what_is_unread_on_a_server_is_read_once() -> None:
    with ImapServer() as server:
        server.deliver(MAIL)
        server.deliver(OTHER)
        assert take(options(server)) == [MAIL, OTHER]
        assert take(options(server)) == []
        assert all(mail.flags == {"\\Seen"} for mail in server.folders["INBOX"])


def test_a_mail_stays_unread_until_it_was_kept() -> None:
    with ImapServer() as server:
        server.deliver(MAIL)
        with opened(options(server)) as box:
            assert [data for _, data in box.unread()] == [MAIL]
        assert server.folders["INBOX"][0].flags == set()
        assert take(options(server)) == [MAIL]


def test_a_line_that_breaks_before_it_is_marked_brings_the_mail_again() -> None:
    with ImapServer() as server:
        server.deliver(MAIL)
        server.hang_up_at = "UID STORE"
        with pytest.raises(SyndicateError, match=r"cannot be read|refused"):
            take(options(server))
        assert take(options(server)) == [MAIL]


@pytest.mark.parametrize("offers", [("MOVE",), ()])
def test_what_was_read_is_moved_where_a_folder_is_named(offers: tuple[str, ...]) -> None:
    with ImapServer(offers=offers, folders=("INBOX", 'Read "all"')) as server:
        server.deliver(MAIL)
        server.deliver(OTHER)
        wanted = options(server, done='Read "all"')
        assert take(wanted) == [MAIL, OTHER]
        assert [mail.data for mail in server.folders['Read "all"']] == [MAIL, OTHER]
        assert take(wanted) == []


def test_d_29_a_mail_that_is_too_large_is_not_fetched() -> None:
    with ImapServer() as server:
        server.deliver(b"x" * (LARGEST + 1))
        server.deliver(MAIL)
        assert take(options(server)) == [b"", MAIL]
        assert sum("BODY" in command for command in server.commands) == 1


def test_a_folder_that_there_is_not_is_said() -> None:
    with ImapServer() as server, pytest.raises(SyndicateError) as error:
        take(options(server, folder="Bounces"))
    assert "no such folder" in error.value.message


def test_a_wrong_password_is_said_and_never_shown() -> None:
    with ImapServer() as server, pytest.raises(SyndicateError) as error:
        take(options(server, password="hunter2"))
    assert "AUTHENTICATIONFAILED" in error.value.message
    assert "password" in error.value.hint
    assert "hunter2" not in f"{error.value} {error.value.hint} {options(server, password='hunter2')!r}"


def test_a_server_that_is_not_there_is_said() -> None:
    with ImapServer() as server:
        wanted = options(server)
    with pytest.raises(SyndicateError) as error:
        take(wanted)
    assert "localhost cannot be read" in error.value.message


@pytest.mark.parametrize("implicit", [True, False])
def test_the_password_goes_over_tls(tmp_path: Path, implicit: bool) -> None:
    issuer = authority(tmp_path)
    tls = "implicit" if implicit else "required"
    with ImapServer(tls=issuer.server("localhost"), implicit=implicit) as server:
        server.deliver(MAIL)
        assert take(options(server, tls=tls, ca_file=issuer.ca_file)) == [MAIL]
        with pytest.raises(SyndicateError, match="not trusted"):
            take(options(server, tls=tls))


def test_without_the_tls_that_is_required_nobody_signs_in() -> None:
    with ImapServer() as server:
        with pytest.raises(SyndicateError):
            take(options(server, tls="required"))
        assert "LOGIN" not in server.commands


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    return tmp_path / "mail"


def test_a_maildir_is_read_once_and_in_order(maildir: Path) -> None:
    (maildir / "new" / "1741600001.M2P7.host").write_bytes(OTHER)
    (maildir / "new" / "1741600000.M1P7.host").write_bytes(MAIL)
    assert take(Options(maildir=maildir)) == [MAIL, OTHER]
    assert take(Options(maildir=maildir)) == []
    assert sorted(path.name for path in (maildir / "cur").iterdir())[0] == "1741600000.M1P7.host:2,S"


def test_a_link_or_a_pipe_in_a_maildir_is_left_alone(maildir: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (maildir / "new" / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(maildir / "new" / "pipe")
    (maildir / "new" / "large").write_bytes(b"x" * (LARGEST + 1))
    assert take(Options(maildir=maildir)) == [b""]


def test_a_folder_that_is_no_maildir_is_said(tmp_path: Path) -> None:
    with pytest.raises(SyndicateError, match="no Maildir"):
        take(Options(maildir=tmp_path))


def test_a_look_takes_no_more_than_it_should(maildir: Path) -> None:
    for number in range(mailbox.MOST + 5):
        (maildir / "new" / f"{number:05}").write_bytes(MAIL)
    assert len(take(Options(maildir=maildir))) == mailbox.MOST
    assert len(take(Options(maildir=maildir))) == 5
