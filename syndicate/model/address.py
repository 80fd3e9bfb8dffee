"""What counts as an e-mail address here: one parser for readers, senders and test recipients."""

from __future__ import annotations

import re

#: The addresses that most people have; every one of them passes the full parser too, at fifty times the cost.
_PLAIN = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_LONGEST_LOCAL, _LONGEST = 64, 254  # RFC 5321 §4.5.3.1.1, and §4.5.3.1.3 without its angle brackets
#: Names that no mail reaches (RFC 6761, 6762, 7686).
_NOWHERE = frozenset({"arpa", "invalid", "local", "localhost", "onion"})
#: An atom of RFC 5322 §3.2.3 without what mail servers have read as a route, a pipe or an encoded word: ! % ` |
_LOCAL = re.compile(r"[A-Za-z0-9_#$&'*+/=?^{}~.-]+")


def normalise(text: str) -> str:
    """`local@domain` as it is stored and mailed: the local part as written, the domain in lower case and in ASCII.

    Raises `ValueError` with one clause that says why `text` is not such an address. Nothing is looked up: whether the
    domain exists is for the mail server to say.
    """
    local, at, domain = text.partition("@")
    if _PLAIN.fullmatch(text) and len(text) <= _LONGEST and len(local) <= _LONGEST_LOCAL and "--" not in domain:
        domain = domain.lower()
        if domain.rpartition(".")[2] not in _NOWHERE:
            return local + at + domain
    return normalise_thoroughly(text)


def normalise_thoroughly(text: str) -> str:
    """The same by the full parser; `normalise` comes here with whatever is not plain."""
    local, _, domain = text.partition("@")
    if reason := _banned(text, local, domain):
        raise ValueError(reason)
    from email_validator import EmailNotValidError, validate_email

    try:
        # The test environment only adds `.test`, which RFC 6761 keeps for trying things out.
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(_in_our_words(str(error))) from None
    return f"{local}@{found.ascii_domain}"


def _banned(text: str, local: str, domain: str) -> str:
    """What a syntax checker lets through, and mail software has been led astray by."""
    if len(text) > _LONGEST:
        return f"it has {len(text):,} characters, and an address has at most {_LONGEST}"
    if "@" not in text:
        return "the @ is missing" + (" (%40 stands for it)" if "%40" in text else "")
    if "@" in domain:
        return "there is more than one @"
    if not local.isascii():
        return "letters beyond ASCII before the @ are not accepted, since few mail servers take them"
    if not local or not _LOCAL.fullmatch(local):
        return f"{_first_odd(local)} before the @ is not accepted" if local else "nothing stands before the @"
    if "=?" in text:
        return "`=?` starts an encoded word, which can smuggle in another address"
    if local[0] in "-/":
        return f"an address that starts with {local[0]!r} could be read as an option or a file"
    if "." not in domain:
        return "the part after the @ has no dot"
    return ""


def _first_odd(local: str) -> str:
    odd = next(character for character in local if not _LOCAL.fullmatch(character))
    return "a blank" if odd == " " else repr(odd)


def _in_our_words(reason: str) -> str:
    """The library's sentence as a clause."""
    return (reason[0].lower() + reason[1:]).rstrip(".")
