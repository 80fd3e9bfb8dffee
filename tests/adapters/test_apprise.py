"""Apprise, with a service of its simplest kind on the other side."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from io import StringIO
from threading import Barrier, Thread
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from syndicate.adapters.apprise import NO_ID, Apprise, AppriseOptions
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Request, Unknown
from syndicate.testing.apprise import SECRET, FakeService
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import picture, post
from tests.adapters.social import Social, deliver

# Among the plugins that Apprise loads some import what Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")


@pytest.fixture
def network() -> Iterator[FakeService]:
    with FakeService() as running:
        yield running


def adapter(network: FakeService, query: str = "", **options: Any) -> Apprise:
    return Apprise(AppriseOptions.model_validate({"url": network.address + query, **options}))


class TestApprise(Social):
    secrets: ClassVar = (SECRET,)
    hears_retry_after = False
    locked = Reply(401)

    def fake(self) -> FakeService:
        return FakeService()

    def make(self, network: FakeService) -> Apprise:
        return adapter(network, "?rto=0.5", max_characters=2000)

    def received(self, network: FakeService) -> list[Any]:
        return network.notifications

    def test_a_yes_that_cannot_be_read_leaves_a_doubt(self, network: FakeService) -> None:
        """Apprise reads no answers: whatever comes with a 2xx is a yes to it."""
        network.fault(Fault(Reply(200, b"<html>hello"), apply=True))
        assert deliver(self.make(network), post()) == Receipt(status=NO_ID)

    def test_what_a_dry_run_shows_is_what_the_network_received(self, network: FakeService) -> None:
        """The library writes the request; title and text are ours."""
        apprise = self.make(network)
        request = apprise.compose(post("Ünï & <b>\n\nText"))
        assert isinstance(request, Request)
        assert (request.method, request.url) == ("NOTIFY", "apprise:{secret}")
        deliver(apprise, post("Ünï & <b>\n\nText"))
        (found,) = network.notifications
        assert json.loads(request.body) == {"title": found["title"], "body": found["message"]}


def test_a_yes_is_labelled_as_one_without_an_id(network: FakeService) -> None:
    assert deliver(adapter(network), post()) == Receipt(status="sent; apprise tells no id")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, Paused), (403, Paused), (408, Deferred), (429, Deferred), (400, Refused), (404, Refused), (500, Unknown)],
)
def test_a_no_is_sorted_by_the_status_in_the_log(network: FakeService, status: int, expected: type[Outcome]) -> None:
    network.fault(Fault(Reply(status)))
    found = deliver(adapter(network), post())
    assert isinstance(found, expected)
    assert found.reason == f"the service answered {status}"
    assert len(network.journal) == 1  # nothing was repeated


def test_a_service_that_nobody_reaches_got_nothing(network: FakeService) -> None:
    network.stop()
    assert deliver(adapter(network), post()) == Deferred("the service cannot be reached", reached=False)


def test_a_text_that_is_too_long_is_refused_and_not_split() -> None:
    pushover = f"pover://{'u' * 30}@{'t' * 30}"
    found = deliver(Apprise(AppriseOptions.model_validate({"url": pushover})), post("x" * 2000))
    assert isinstance(found, Refused)
    assert "set `max_characters`" in found.reason


@pytest.mark.parametrize("url", ["nonsense://x", "json://"])
def test_an_address_that_apprise_does_not_know_pauses_the_account(url: str) -> None:
    found = deliver(Apprise(AppriseOptions.model_validate({"url": url})), post())
    assert isinstance(found, Paused)


def test_an_address_of_several_destinations_pauses_the_account() -> None:
    url = "sns://AHIAJGNT76XIMXDBIJYA/bu1dHSdO22pfaaVy/us-west-2/12223334444/12223334445"
    found = deliver(Apprise(AppriseOptions.model_validate({"url": url})), post())
    assert isinstance(found, Paused)
    assert "several destinations" in found.reason


def test_what_apprise_logs_reaches_nobody_else(network: FakeService) -> None:
    network.stop()
    heard, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(heard), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        assert isinstance(deliver(adapter(network), post()), Deferred)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert "Starting new HTTP connection" in heard.getvalue()
    assert SECRET not in heard.getvalue()


def test_two_accounts_do_not_hear_each_other(network: FakeService) -> None:
    found: dict[int, Outcome] = {}
    start = Barrier(8)

    def one(status: int) -> None:
        with FakeService() as service:
            service.fault(Fault(Reply(status)))
            start.wait()
            found[status] = deliver(adapter(service), post())

    threads = [Thread(target=one, args=(status,)) for status in range(400, 408)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status: outcome.reason for status, outcome in found.items() if not isinstance(outcome, Receipt)} == {
        status: f"the service answered {status}" for status in range(400, 408)
    }


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("json://localhost/canary?retry=3", "do not belong here"),
        ("json://localhost/canary?overflow=split", "do not belong here"),
        ("canary", "not an address"),
        ("json://a/canary json://b/canary", "not an address"),
    ],
)
def test_addresses_that_would_send_twice_are_refused_without_showing_them(url: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as caught:
        AppriseOptions.model_validate({"url": url})
    assert "canary" not in str(caught.value)


def test_where_the_package_is_missing_the_account_says_how_to_get_it() -> None:
    code = """
import sys
sys.modules["apprise"] = None  # as Python marks what cannot be imported
from datetime import date
from io import StringIO
from threading import Barrier, Thread
from syndicate.adapters.apprise import Apprise, AppriseOptions
from syndicate.testing.messages import post
one = Apprise(AppriseOptions(url="json://localhost/canary"))
print(one.send(None, one.compose(post()), "key"), one.warnings(date(2026, 1, 1)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Paused(reason='the package apprise is not installed'" in done.stdout
    assert done.stdout.count("pip install 'syndicate[apprise]'") == 2


def test_where_it_is_there_nothing_is_said(network: FakeService) -> None:
    assert adapter(network).warnings(date(2026, 1, 1)) == ()


def test_a_picture_is_refused(network: FakeService) -> None:
    with pytest.raises(Exception, match="without pictures"):
        adapter(network).compose(post(image=picture()))
