"""Text on its way into a mail header: refused if it could become a header of its own, then encoded.

CPython before 3.13 turns `=?utf-8?q?a=0d=0aBcc:…?=` in a header value into a real `Bcc:` (CVE-2024-6923), and its
default policy hides a long `List-Unsubscribe` in an encoded word; hence one guard and one encoder for all headers.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from email.header import Header
from unicodedata import category, is_normalized, normalize

from syndicate.errors import RenderError

#: RFC 5322 §2.2.3 and what other parsers take for a line end; lone surrogates; the start of an encoded word (RFC 2047).
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|=\\?")
#: Embeddings, overrides and isolates: they turn the order of what a reader sees (UAX #9).
BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
#: Longest value, in characters after decoding.
LONGEST = 255
# So many characters are never more bytes than `LONGEST`.
_SHORT = LONGEST // 4
# Longest ASCII name that is not folded.
_UNFOLDED = 50
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
# Most names, spared the general way, which takes 2 µs: words with one space between them. The first stand in a header
# as they are; in the others there is nothing to clean once they are composed (NFC), and nothing to refuse.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+){0,4}")
_WORDS = re.compile(r"[\w.'-]+(?: [\w.'-]+){0,4}")
# UTF-8 bytes that fit into one encoded word of 75 characters (RFC 2047 §2) beside `=?utf-8?b?` and `?=`.
_ONE_WORD = 45
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
_URL = re.compile(r"https?://[!#-;=?-Z_a-z~%\[\]]{1,900}")


def header_text(value: str, what: str) -> str:
    """`value` in one clean line: NFC, no bidirectional controls, single spaces.

    Raises `RenderError`, which names `what`, for control characters, line ends, surrogates, encoded words, and values
    that are empty or longer than 255 characters.
    """
    fault = _fault(text := _clean(value))
    if fault:
        raise RenderError(f"{what} cannot stand in a mail header: it {fault}", hint=f"Mend {what}.")
    return text


def _clean(value: str) -> str:
    tidy = value.replace("\t", " ").translate(BIDI)
    if not FORBIDDEN.search(tidy):  # `normalize` and `split` would hide what is forbidden, or choke on it
        tidy = normalize("NFC", tidy)
        tidy = re.sub(" +", " ", tidy).strip()
    return tidy


def _fault(text: str) -> str:
    found = FORBIDDEN.search(text)
    if found:
        return "holds “=?”, the start of an encoded word" if found[0] == "=?" else f"holds U+{ord(found[0]):04X}"
    if all(category(character) in {"Cf", "Zs"} for character in text):
        return "is empty"
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    return ""


def encode(text: str, header: str) -> str:
    """A guarded text as RFC 2047 wants it, folded to 78 columns where it can be; ASCII stays as it is."""
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, maxlinelen=76, header_name=header).encode(linesep="\r\n")


def mailbox(name: str, address: str, header: str) -> str:
    """`name <address>` on the wire. Both have passed the guards."""
    if not name:
        return address
    raw = name.encode()
    if not name.isascii() and len(raw) <= _ONE_WORD:
        return f"=?utf-8?b?{b2a_base64(raw, newline=False).decode()}?=\r\n <{address}>"
    if not name.isascii() or len(name) > _UNFOLDED:  # a long name folds only as encoded words
        words = Header(name, "utf-8", maxlinelen=76, header_name=header).encode(linesep="\r\n")
        return f"{words}\r\n <{address}>"
    if not _ATOMS.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def to_reader(name: str, address: str) -> str:
    """The value of `To`. The address has passed the guard; a name that could harm is left out."""
    if len(name) <= _UNFOLDED and _PLAIN_NAME.fullmatch(name):
        return f"{name} <{address}>"
    return mailbox(display_name(name), address, "To")


def display_name(value: str) -> str:
    """A person's name as it may stand before an address; empty if it could harm (D-40): the address is enough."""
    if not value or (len(value) <= _SHORT and _WORDS.fullmatch(value) and is_normalized("NFC", value)):
        return value
    text = _clean(value)
    return "" if _fault(text) or len(text.encode()) > LONGEST else text


def address(value: str) -> str:
    """`value`, if it is an address of ASCII characters that needs no quoting. Raises `RenderError` otherwise."""
    if not _ADDRESS.fullmatch(value):
        raise RenderError(
            f"{value!r} cannot be mailed: only plain ASCII addresses can stand in a header",
            hint="Write an international domain in its xn-- form, or take the address off the list.",
        )
    return value


def link(value: str) -> str:
    """`value`, if it is an http(s) URL of printable ASCII that fits on one line. Raises `RenderError` otherwise."""
    if not _URL.fullmatch(value):
        raise RenderError(
            f"{value!r} cannot be an unsubscribe link: it has to be an https URL of at most 900 characters (RFC 8058)",
            hint="Set publication.links to the https address under which readers unsubscribe.",
        )
    return value
