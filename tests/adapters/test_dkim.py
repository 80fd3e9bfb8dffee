"""The signatures of the DKIM signer, judged by dkimpy, which had no part in making them."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from syndicate.adapters.dkim import (
    OVERSIGNED,
    DkimOptions,
    Signer,
    aligned,
    dns_record,
    relaxed_body,
    relaxed_headers,
    rsa_key,
)
from syndicate.adapters.smtp import Smtp, SmtpOptions
from syndicate.model import Mail, Receipt, Recipient
from syndicate.render.email import letter
from syndicate.render.fill import fill
from syndicate.testing.messages import OCCASION
from syndicate.testing.smtp import SmtpServer
from tests.conftest import missing
from tests.render import factory

RSA = rsa.generate_private_key(65537, 2048)
SIGNER = Signer("example.com", "news2025", RSA)
RECORD = dns_record(RSA).encode()

VALUES = {
    "From": "Magick AI <news@example.com>",
    "Sender": "desk@example.com",
    "Reply-To": "editors@example.com",
    "To": "Ada Lovelace <ada@example.org>",
    "Cc": "bob@example.org",
    "Subject": "Two articles about  MLOps",
    "Date": format_datetime(OCCASION),
    "Message-ID": "<1@example.com>",
    "In-Reply-To": "<0@example.com>",
    "References": "<0@example.com>",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "List-Id": "Readers <readers.example.com>",
    "List-Unsubscribe": "<https://example.com/u/1>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Help": "<https://example.com/help>",
    "List-Owner": "<mailto:news@example.com>",
    "List-Post": "NO",
    "Feedback-ID": "20250310:readers:digest:magick-ai",
}
LINES = [f"{name}: {value}".encode() for name, value in VALUES.items()]
NEEDED = [line for line in LINES if line.startswith((b"From:", b"Date:"))]
BODY = b"Hello  Ada,\r\n\r\n\ttwo articles. \r\nGoodbye.\r\n"


def message(lines: list[bytes], body: bytes = BODY) -> bytes:
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The headers, folded as they are, and the body."""
    head, _, body = data.partition(b"\r\n\r\n")
    return re.split(rb"\r\n(?![ \t])", head), body


def verifies(data: bytes, record: bytes = RECORD) -> bool:
    asked = []

    def zone(name: bytes, timeout: float = 5) -> bytes:
        asked.append(name)
        return record

    verdict = dkim.verify(data, dnsfunc=zone)
    assert set(asked) <= {b"news2025._domainkey.example.com."}
    return bool(verdict)


def tags(data: bytes) -> dict[str, str]:
    value = split(data)[0][0].partition(b":")[2].decode()
    pairs = [tag.split("=", 1) for tag in value.split(";")]
    return {name.strip(): re.sub(r"\s", "", content) for name, content in pairs}


SIGNED = SIGNER.sign(message(LINES))
SIGNATURE, *SIGNED_LINES = split(SIGNED)[0]


@pytest.fixture(scope="module")
def digest() -> bytes:
    """The starter's digest as a reader gets it."""
    made, _ = letter(factory.digest(), factory.PUBLICATION, factory.TEMPLATES)
    return fill(made, Recipient("ada@example.org", "Ada"), secret=b"s" * 32, unsubscribe=factory.UNSUBSCRIBE).data


@pytest.fixture
def zone_of_this_machine() -> Iterator[None]:
    """Far from UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()


# -- what is signed -----------------------------------------------------------------------------------------------


def test_a_digest_verifies(digest: bytes) -> None:
    signed = SIGNER.sign(digest)
    assert signed.endswith(digest)
    assert verifies(signed)


def test_the_whole_list_of_headers_is_covered_by_these_tests() -> None:
    assert {name.lower().encode() for name in VALUES} == set(OVERSIGNED)
    assert verifies(SIGNED)


def test_the_tags_are_those_we_promise() -> None:
    found = tags(SIGNED)
    fixed = {name: found[name] for name in ("v", "a", "c", "d", "s")}
    assert fixed == {"v": "1", "a": "rsa-sha256", "c": "relaxed/relaxed", "d": "example.com", "s": "news2025"}
    assert set(found) == {*fixed, "t", "h", "bh", "b"}  # and no `l=`, which would leave room below the signed body
    assert found["h"] == ":".join(f"{name.decode()}:{name.decode()}" for name in OVERSIGNED)


def test_a_header_that_is_not_there_is_named_once() -> None:
    names = tags(SIGNER.sign(message(NEEDED)))["h"].split(":")
    assert {name: names.count(name) for name in names} == {
        name.decode(): 2 if name in {b"from", b"date"} else 1 for name in OVERSIGNED
    }


@pytest.mark.parametrize("count", [2, 3])
def test_headers_that_stand_there_several_times_are_all_signed(count: int) -> None:
    several = [f"To: reader{number}@example.org".encode() for number in range(count)]
    signed = SIGNER.sign(message([*NEEDED, *several]))
    assert tags(signed)["h"].split(":").count("to") == count + 1
    assert verifies(signed)
    assert not verifies(signed.replace(b"reader0", b"reader9"))


def test_the_time_is_that_of_the_message(zone_of_this_machine: None) -> None:
    assert tags(SIGNED)["t"] == str(int(OCCASION.timestamp()))
    india = format_datetime(OCCASION.astimezone(ZoneInfo("Asia/Kolkata")))
    nowhere = f"{OCCASION:%a, %d %b %Y %H:%M:%S} -0000"
    for date in (india, nowhere):
        signed = SIGNER.sign(message([LINES[0], f"Date: {date}".encode()]))
        assert tags(signed)["t"] == str(int(OCCASION.timestamp()))


def test_the_same_message_is_signed_with_the_same_bytes() -> None:
    again = Signer("example.com", "news2025", rsa_key(pem(RSA)))
    assert {SIGNER.sign(message(LINES)) for _ in range(5)} | {again.sign(message(LINES))} == {SIGNED}


def test_threads_may_share_a_signer() -> None:
    with ThreadPoolExecutor(6) as crew:
        assert set(crew.map(SIGNER.sign, [message(LINES)] * 120)) == {SIGNED}


def test_the_header_is_folded_at_78_and_ends_its_lines_with_crlf() -> None:
    assert SIGNED.startswith(b"DKIM-Signature: v=1;")
    lines = SIGNATURE.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not re.search(rb"[\r\n]", b"".join(lines))
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])


def test_the_longest_domain_fits_into_a_line_of_998() -> None:
    labels = ".".join(["a" * 60] * 3)
    options = DkimOptions(domain=f"{labels}.example.com", selector="s" * 40, private_key=pem(RSA))
    signed = options.signer.sign(message([f"From: news@{options.domain}".encode(), *NEEDED[1:]]))
    assert max(map(len, signed.split(b"\r\n"))) <= 998
    assert dkim.verify(signed, dnsfunc=lambda name, timeout=5: RECORD)


# -- what a verifier notices --------------------------------------------------------------------------------------


def changed(lines: list[bytes], body: bytes = BODY, signature: bytes = SIGNATURE) -> bytes:
    """The signed message with other headers, another body or another signature."""
    return message([signature, *lines], body)


@pytest.mark.parametrize("at", range(len(LINES)), ids=list(VALUES))
def test_no_header_can_be_replaced_removed_or_doubled(at: int) -> None:
    before, line, after = SIGNED_LINES[:at], SIGNED_LINES[at], SIGNED_LINES[at + 1 :]
    name = line.partition(b":")[0]
    forged = name + b": forged@example.net"
    assert verifies(changed([*before, line, *after]))
    assert not verifies(changed([*before, forged, *after]))
    assert not verifies(changed([*before, line + b" x", *after]))
    assert not verifies(changed([*before, name + b":", *after]))
    assert not verifies(changed([*before, *after]))
    for second in (forged, line):
        assert not verifies(changed([second, *SIGNED_LINES]))
        assert not verifies(changed([*SIGNED_LINES, second]))
    assert not verifies(message([forged, SIGNATURE, *SIGNED_LINES]))


@pytest.mark.parametrize("name", [name for name in VALUES if name not in {"From", "Date"}])
def test_no_header_can_be_added_where_there_was_none(name: str) -> None:
    signed = split(SIGNER.sign(message(NEEDED)))[0]
    added = f"{name}: {VALUES[name]}".encode()
    assert verifies(message(signed))
    assert not verifies(message([added, *signed]))
    assert not verifies(message([*signed, added]))


def test_two_headers_of_one_name_cannot_change_places() -> None:
    one, other = b"To: ada@example.org", b"To: bob@example.org"
    signature = split(SIGNER.sign(message([*NEEDED, one, other])))[0][0]
    assert verifies(message([signature, *NEEDED, one, other]))
    assert not verifies(message([signature, *NEEDED, other, one]))


def test_headers_of_different_names_may_change_places() -> None:
    # RFC 6376 §5.4.2: what counts is the order in `h=`; relays do reorder
    assert verifies(changed(SIGNED_LINES[::-1]))


def test_relays_may_add_what_is_theirs() -> None:
    own = [b"Received: from a by b; Mon, 10 Mar 2025 09:00:01 +0000", b"Return-Path: <bounce@example.com>"]
    assert verifies(message([*own, SIGNATURE, *SIGNED_LINES, b"Precedence: bulk", b"X-Spam-Score: 0"]))


@pytest.mark.parametrize("at", range(len(BODY)))
def test_no_byte_of_the_body_can_be_changed(at: int) -> None:
    if BODY[at : at + 1].isspace():  # relaxed: one blank is as good as another, none is not
        other = BODY[:at] + b"_" + BODY[at + 1 :]
    else:
        other = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
    assert not verifies(changed(SIGNED_LINES, other))


@pytest.mark.parametrize("body", [b"", BODY + b".\r\n", BODY + b"\r\n.\r\n", b"\r\n" + BODY, BODY[:-10], BODY * 2])
def test_no_line_of_the_body_can_be_added_or_removed(body: bytes) -> None:
    assert not verifies(changed(SIGNED_LINES, body))


@pytest.mark.parametrize("body", [BODY + b"\r\n\r\n", BODY + b" \t\r\n", BODY.replace(b"  ", b"\t \t"), BODY[:-2]])
def test_white_space_that_relays_change_does_not_count(body: bytes) -> None:
    assert verifies(changed(SIGNED_LINES, body))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a=rsa-sha256", b"a=rsa-sha1"),
        (b"a=rsa-sha256", b"a=ed25519-sha256"),
        (b"c=relaxed/relaxed", b"c=simple/simple"),
        (b"c=relaxed/relaxed", b"c=relaxed/simple"),
        (b" t=1741", b" t=1731"),
        (b"from:from:", b"from:"),
        (b"feedback-id:feedback-id", b"feedback-id"),
        (b" bh=", b" l=10; bh="),
        (b" bh=", b" x=4102444800; bh="),
    ],
)
def test_no_tag_can_be_changed(old: bytes, new: bytes) -> None:
    assert old in SIGNATURE
    assert not verifies(changed(SIGNED_LINES, signature=SIGNATURE.replace(old, new)))


def test_another_key_does_not_verify() -> None:
    assert not verifies(SIGNED, dns_record(rsa.generate_private_key(65537, 2048)).encode())


# -- what relays do on the way ------------------------------------------------------------------------------------


def refolded(data: bytes, fold: Callable[[bytes], bytes]) -> bytes:
    lines, body = split(data)
    return message([fold(line) for line in lines], body)


@pytest.mark.parametrize(
    "fold",
    [
        lambda line: re.sub(rb"\r\n[ \t]", b" ", line),
        lambda line: re.sub(rb"(?:\r\n)?[ \t]+(?=\S)", b"\r\n\t", line),
        lambda line: re.sub(rb"(?:\r\n)?[ \t]+(?=\S)", b" \t \r\n   ", line),
        lambda line: line + b" \t ",
        lambda line: line.partition(b":")[0].upper() + line[line.index(b":") :],
        lambda line: line.partition(b":")[0] + b":" + line.partition(b":")[2].lstrip(),
    ],
    ids=["unfolded", "folded everywhere", "blanks around folds", "trailing blanks", "upper case", "no blank"],
)
def test_headers_that_a_relay_wrote_anew_still_verify(fold: Callable[[bytes], bytes], digest: bytes) -> None:
    for signed in (SIGNED, SIGNER.sign(digest)):
        assert refolded(signed, fold) != signed
        assert verifies(refolded(signed, fold))


def test_what_crosses_the_wire_verifies() -> None:
    dots = message(LINES, b".\r\n..\r\n.dot\r\n\r\n")
    with SmtpServer() as server:
        smtp = Smtp(SmtpOptions(host="127.0.0.1", port=server.port, tls="none", helo="client.test"))
        with smtp.open() as session:
            outcome = smtp.send(session, Mail("news@example.com", "ada@example.org", SIGNER.sign(dots)), "key")
        assert isinstance(outcome, Receipt)
        assert verifies(server.journal[0].data)


# -- canonical forms ----------------------------------------------------------------------------------------------


def test_the_example_of_rfc_6376_3_4_5() -> None:
    headers = relaxed_headers(b"A: X\r\nB : Y\t\r\n\tZ  \r\n")
    assert headers == {b"a": [b"a:X\r\n"], b"b": [b"b:Y Z\r\n"]}
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n\r\n", b" \t\r\n \r\n"])
def test_an_empty_body_has_the_hash_of_nothing(body: bytes) -> None:
    signed = SIGNER.sign(message(LINES, body))
    assert tags(signed)["bh"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # RFC 6376 §3.4.4
    assert verifies(signed)


# Not the other characters that Python calls white space: dkimpy strips them, RFC 6376 names space and tab only.
PIECES = st.sampled_from([b" ", b"\t", b"  ", b" \t ", b"a", b"Z:", b";", b"=", b".", b"\xff", "é".encode(), b"\x00"])
TEXTS = st.lists(PIECES, max_size=12).map(b"".join)
BODIES = st.lists(TEXTS, max_size=8).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
FOLDS = st.sampled_from([b"\r\n ", b"\r\n\t", b" \r\n \r\n\t", b" ", b"\t"])
HEADER_VALUES = st.lists(st.tuples(TEXTS, FOLDS), max_size=4).map(lambda parts: b"".join(map(b"".join, parts)))
NAMES = st.sampled_from([b"Subject", b"SUBJECT", b"to", b"List-Id", b"X-Other", b"References", b"Reply-To"])
HEADERS = st.lists(st.tuples(NAMES, HEADER_VALUES), max_size=6).map(
    lambda pairs: [b"%s:%s" % pair for pair in pairs],
)


@given(BODIES)
def test_bodies_have_the_form_that_dkimpy_gives_them(body: bytes) -> None:
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


@given(st.lists(st.tuples(NAMES, HEADER_VALUES), min_size=1, max_size=6))
def test_headers_have_the_form_that_dkimpy_gives_them(pairs: list[tuple[bytes, bytes]]) -> None:
    ours = relaxed_headers(b"".join(b"%s:%s\r\n" % pair for pair in pairs))
    theirs: dict[bytes, list[bytes]] = {}
    for name, value in Relaxed.canonicalize_headers(pairs):
        theirs.setdefault(name, []).append(b"%s:%s" % (name, value))
    assert ours == theirs


@given(HEADERS, BODIES)
def test_any_message_that_is_signed_verifies(headers: list[bytes], body: bytes) -> None:
    assert verifies(SIGNER.sign(message([*NEEDED, *headers], body)))


@given(HEADERS, BODIES, st.data())
def test_any_message_that_means_something_else_does_not(headers: list[bytes], body: bytes, data: st.DataObject) -> None:
    other = data.draw(BODIES.filter(lambda other: relaxed_body(other) != relaxed_body(body)))
    signature = split(SIGNER.sign(message([*NEEDED, *headers], body)))[0][0]
    assert not verifies(message([signature, *NEEDED, *headers], other))


# -- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no empty line"),
        (b"From: a@example.com\r\n", "no empty line"),
        (message(LINES)[:-1], "does not end in CRLF"),
        (b"\r\n\r\nbody\r\n", "a line among its headers that is none"),
        (message([b"From news@example.com", *NEEDED]), "a line among its headers that is none"),
        (message([b"Sub ject: x", *NEEDED]), "a line among its headers that is none"),
        (message([b" continued: x", *NEEDED]), "a line among its headers that is none"),
        (message([b": nothing", *NEEDED]), "a line among its headers that is none"),
        (message(NEEDED[:1]), "has 0 Date headers"),
        (message(NEEDED[1:]), "has 0 From headers"),
        (message([*NEEDED, LINES[0]]), "has 2 From headers"),
        (message([LINES[0], b"Date: Monday"]), "is not a date"),
        (message([LINES[0], b"Date: \xff"]), "is not a date"),
        (message([LINES[0], b"Date: Wed, 31 Dec 1969 23:59:59 +0000"]), "before 1970"),
        (message([b"From: Magick AI", *NEEDED[1:]]), "is not one address"),
        (message([b"From: a@example.com, b@example.com", *NEEDED[1:]]), "is not one address"),
        (message([b"From: news@example.net", *NEEDED[1:]]), "example.com does not stand for mail from example.net"),
        (message([b"From: news@notexample.com", *NEEDED[1:]]), "does not stand for mail from notexample.com"),
    ],
)
def test_a_message_that_cannot_be_signed_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SIGNER.sign(data)


@pytest.mark.parametrize(
    ("domain", "sender", "stands"),
    [
        ("example.com", "example.com", True),
        ("example.com", "EXAMPLE.com", True),
        ("example.com", "news.example.com", True),
        ("news.example.com", "example.com", False),
        ("example.com", "badexample.com", False),
        ("example.com", "example.com.evil.net", False),
        ("example.com", "", False),
    ],
)
def test_a_domain_signs_for_itself_and_for_those_below_it(domain: str, sender: str, stands: bool) -> None:
    assert aligned(domain, sender) is stands


@pytest.mark.parametrize(
    "sender", ["=?utf-8?b?TcOpZMOpYQ==?=\r\n <news@mail.example.com>", '"A, B <x@evil.net>" <news@example.com>']
)
def test_the_address_is_found_behind_any_name(sender: str) -> None:
    assert verifies(SIGNER.sign(message([f"From: {sender}".encode(), *NEEDED[1:]])))


@pytest.mark.parametrize("domain", ["", "localhost", "münchen.example", "a..b", "-a.example", "a.b\r\n", "a.b; s=x"])
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(ValidationError, match="not a domain such as"):
        DkimOptions(domain=domain, selector="s", private_key="${file:dkim.pem}")


@pytest.mark.parametrize("selector", ["", "a b", "s;", "a..b", "s\r\n", "x" * 41, "ü"])
def test_a_selector_that_is_none_is_refused(selector: str) -> None:
    with pytest.raises(ValidationError, match="not a selector such as"):
        DkimOptions(domain="example.com", selector=selector, private_key="${file:dkim.pem}")


# -- keys ---------------------------------------------------------------------------------------------------------


def pem(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    lock: KeySerializationEncryption | None = None,
) -> str:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption()).decode()


def mersenne(one: int, other: int, private: int = 0) -> str:
    """An RSA key from two Mersenne primes: any size without a search, and worth nothing."""
    p, q = 2**one - 1, 2**other - 1
    d = private or pow(65537, -1, (p - 1) * (q - 1))
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(65537, p * q))
    return pem(numbers.private_key(unsafe_skip_rsa_key_validation=True))


PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
BAD_KEYS = {
    "nothing": ("", "is missing, or a path or other text"),
    "a path": ("/etc/shadow", "is missing, or a path or other text"),
    "not UTF-8": ("\udcff", "is missing, or a path or other text"),
    "damaged": (pem(RSA)[:400] + pem(RSA)[500:], "is damaged, or of an unknown kind"),
    "inconsistent": (mersenne(521, 607, private=3), "is damaged, or of an unknown kind"),
    "public": (PUBLIC, "is the public half"),
    "locked": (pem(RSA, lock=BestAvailableEncryption(b"x")), "has a passphrase"),
    "Ed25519": (pem(ed25519.Ed25519PrivateKey.generate()), "is not RSA"),
    "EC": (pem(ec.generate_private_key(ec.SECP256R1())), "is not RSA"),
    "648 bits": (mersenne(127, 521), "has 648 bits, receivers take 1024 to 4096"),
    "4484 bits": (mersenne(2203, 2281), "has 4484 bits, receivers take 1024 to 4096"),
}


class Account(BaseModel):
    """An account's options around ours."""

    model_config = ConfigDict(hide_input_in_errors=True)

    dkim: DkimOptions | None = None


@pytest.mark.parametrize(("key", "words"), BAD_KEYS.values(), ids=list(BAD_KEYS))
def test_a_key_that_cannot_sign_is_refused_and_not_shown(key: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Account.model_validate({"dkim": {"domain": "example.com", "selector": "s", "private_key": key}})
    (error,) = caught.value.errors()
    said = f"{caught.value} {caught.value!r} {error['ctx']['error']!r} {error['ctx']['error'].__cause__}"
    assert words in said
    assert error["loc"] == ("dkim",)
    assert not any(line in said for line in key.splitlines() if line and not line.startswith("-----"))


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_both_notations_of_a_key_are_read(form: PrivateFormat) -> None:
    options = DkimOptions(domain="Example.COM", selector="news2025", private_key=pem(RSA, form).rstrip("\n"))
    assert options.signer.sign(message(LINES)) == SIGNED


def test_a_key_of_1128_bits_still_signs() -> None:
    key = rsa_key(mersenne(521, 607))
    signed = Signer("example.com", "news2025", key).sign(message(LINES))
    assert verifies(signed, dns_record(key).encode())


def test_the_key_is_parsed_once() -> None:
    options = DkimOptions(domain="example.com", selector="s", private_key=pem(RSA))
    assert options.signer is options.signer
    assert options.model_copy().signer is options.signer


def test_a_key_is_never_shown() -> None:
    options = DkimOptions(domain="example.com", selector="s", private_key=pem(RSA))
    shown = f"{options} {options!r} {options.model_dump_json()} {options.signer} {options.signer!r}"
    lines = [line for line in pem(RSA).splitlines() if not line.startswith("-----")]
    assert not any(line in shown or line in str(vars(options)) for line in lines)


def test_a_key_that_is_named_and_not_yet_read_is_no_mistake() -> None:
    options = DkimOptions(domain="example.com", selector="s", private_key="${file:dkim.pem}")
    with pytest.raises(ValueError, match="openssl genrsa -out"):
        _ = options.signer


def test_a_key_from_openssl_signs_and_its_record_is_the_one_openssl_gives(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    try:
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
    except FileNotFoundError:
        missing("openssl")
    key = rsa_key(path.read_text())
    assert verifies(Signer("example.com", "news2025", key).sign(message(LINES)), dns_record(key).encode())
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout"], check=True, capture_output=True, text=True)
    assert dns_record(key) == "v=DKIM1; k=rsa; p=" + "".join(public.stdout.splitlines()[1:-1])
