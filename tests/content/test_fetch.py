"""Pictures of the web: what may be asked for, where the connection goes, and what is kept."""

import gzip
from collections.abc import Iterator
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image as Pillow
from urllib3 import HTTPSConnectionPool

from syndicate.content.fetch import MOST_BYTES, fetch, is_of_the_web, resolved
from syndicate.content.picture import place
from syndicate.testing.certificates import authority
from syndicate.testing.http import FakeNetwork, Fault, Received, Reply

WEB = "93.184.216.34"
HOST = "pictures.example"


def png() -> bytes:
    out = BytesIO()
    Pillow.new("RGB", (8, 4), "teal").save(out, "PNG")
    return out.getvalue()


class Gallery(FakeNetwork):
    """A server with one picture on every path, that is known to `connect` by the certificate of its name."""

    def __init__(self, folder: Path) -> None:
        self.authority = authority(folder)
        super().__init__(self.authority.server(HOST))
        #: addresses to which a connection was asked for
        self.addresses: list[str] = []

    def handle(self, request: Received) -> Reply:
        return Reply(200, png(), {"Content-Type": "image/png"})

    def connect(self, address: str, host: str) -> HTTPSConnectionPool:
        self.addresses.append(address)
        port = urlsplit(self.url).port
        return HTTPSConnectionPool(
            "127.0.0.1", port, ca_certs=str(self.authority.ca_file), server_hostname=host, assert_hostname=host,
            retries=False, timeout=5,
        )  # fmt: skip


@pytest.fixture
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    with Gallery(tmp_path_factory.mktemp("certificates")) as made:
        yield made


def ask(gallery: Gallery, url: str, folder: Path, *addresses: str) -> str:
    return fetch(url, folder, lambda host: addresses or (WEB,), gallery.connect)


def test_a_picture_is_kept_under_its_address(gallery: Gallery, tmp_path: Path) -> None:
    url = f"https://{HOST}/a/hero.png?v=2"
    assert ask(gallery, url, tmp_path / "pictures") == ""
    assert place(tmp_path / "pictures", url).read_bytes() == png()
    (request,) = gallery.journal
    assert (request.path, request.headers["host"]) == ("/a/hero.png?v=2", HOST)
    assert not {"cookie", "authorization", "referer"} & request.headers.keys()


def test_the_connection_goes_to_the_address_that_was_checked(gallery: Gallery, tmp_path: Path) -> None:
    """A name that leads elsewhere the second time it is asked for has no second time."""
    answers = iter([[WEB], ["127.0.0.1"]])
    assert fetch(f"https://{HOST}/", tmp_path, lambda host: next(answers), gallery.connect) == ""
    assert gallery.addresses == [WEB]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.0.8", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "fec0::1", "3fff::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_an_address_that_is_not_on_the_web_is_never_asked(address: str, gallery: Gallery, tmp_path: Path) -> None:
    assert not is_of_the_web(ip_address(address))
    assert "not on the web" in ask(gallery, f"https://{HOST}/", tmp_path, WEB, address)
    assert gallery.addresses == []


def test_the_web_is_reached_over_both_protocols() -> None:
    assert is_of_the_web(ip_address("93.184.216.34"))
    assert is_of_the_web(ip_address("2606:2800:220:1:248:1893:25c8:1946"))


@pytest.mark.parametrize(
    "url",
    [
        "http://x.test/a.png", "https://user:pass@x.test/", "https://x.test@127.0.0.1/", "https://x.test\\@127.0.0.1/",
        "https://x.test:22/", "https://x.test:99999/", "file:///etc/passwd", "gopher://127.0.0.1:25/_HELO",
        "data:image/png;base64,AAAA", "//evil.test/x.png", "https://", "https://xn--/",
        "https://" + "a." * 200 + "test/",
    ],
)  # fmt: skip
def test_an_address_of_another_kind_is_refused_before_anybody_is_asked(
    url: str, gallery: Gallery, tmp_path: Path
) -> None:
    assert ask(gallery, url, tmp_path)
    assert gallery.addresses == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["2130706433", "0x7f.1", "127.1", "①②⑦.0.0.1", "127。0。0。1", "localhost."])
def test_a_name_that_means_this_machine_is_found_out_by_what_it_resolves_to(
    name: str, gallery: Gallery, tmp_path: Path
) -> None:
    assert fetch(f"https://{name}/", tmp_path, resolved, gallery.connect)
    assert gallery.addresses == []


def test_what_follows_a_hash_is_no_host(gallery: Gallery, tmp_path: Path) -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return [WEB]

    assert fetch(f"HTTPS://{HOST.upper()}:443/%7Ea#@127.0.0.1/", tmp_path, resolve, gallery.connect) == ""
    assert asked == [HOST]


def test_a_redirect_is_checked_like_the_first_address(gallery: Gallery, tmp_path: Path) -> None:
    gallery.fault(Fault(reply=Reply(302, headers={"Location": "http://127.0.0.1/"})))
    assert "only https" in ask(gallery, f"https://{HOST}/", tmp_path)
    gallery.fault(Fault(reply=Reply(301, headers={"Location": "/moved.png"})))
    assert ask(gallery, f"https://{HOST}/old.png", tmp_path) == ""
    assert gallery.journal[-1].path == "/moved.png"


def test_redirects_without_end_are_given_up(gallery: Gallery, tmp_path: Path) -> None:
    gallery.fault(*[Fault(reply=Reply(302, headers={"Location": "/again"}))] * 9)
    assert ask(gallery, f"https://{HOST}/", tmp_path) == "it is sent on too often"
    assert len(gallery.journal) == 4


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(404, b"no"), "answers 404"),
        (Reply(200, b"<html>not a picture</html>", {"Content-Type": "image/png"}), "no JPEG, PNG"),
        (Reply(200, b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"), "no JPEG, PNG"),
        (Reply(200, gzip.compress(png()), {"Content-Encoding": "gzip"}), "no JPEG, PNG"),
        (Reply(200, b"\0" * (MOST_BYTES + 1)), "more than 10 MB"),
    ],
)
def test_what_is_no_picture_is_not_kept(reply: Reply, why: str, gallery: Gallery, tmp_path: Path) -> None:
    gallery.fault(Fault(reply=reply))
    assert why in ask(gallery, f"https://{HOST}/", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_machine_behind_the_address_is_found_out_by_its_certificate(gallery: Gallery, tmp_path: Path) -> None:
    assert "cannot be reached: SSLError" in ask(gallery, "https://bank.example/", tmp_path)


def test_a_picture_that_cannot_be_fetched_leaves_the_earlier_copy(gallery: Gallery, tmp_path: Path) -> None:
    url = f"https://{HOST}/hero.png"
    ask(gallery, url, tmp_path)
    gallery.fault(Fault(reply=Reply(500)))
    assert "answers 500" in ask(gallery, url, tmp_path)
    assert place(tmp_path, url).read_bytes() == png()
