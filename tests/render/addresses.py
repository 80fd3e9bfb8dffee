"""The reader of `To` that the tests trust."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from email.utils import parseaddr


def recipient_of(data: bytes) -> tuple[str, str]:
    """(name, address) of a message's `To`.

    The older of the two parsers of the standard library: before a name, the newer one of CPython 3.11 keeps the blank
    between two encoded words, which RFC 2047 §6.2 says to drop.
    """
    message = message_from_bytes(data, policy=compat32)
    (value,) = message.get_all("To", [])
    name, address = parseaddr(value)
    return str(make_header(decode_header(name))), address
