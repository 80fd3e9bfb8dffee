"""Bounces and complaints in the forms that servers really send, about a mail that went out from a given address."""

from __future__ import annotations

BOUNCES = "bounces@news.example.com"
SECRET = b"a secret for the tests"
MARK = "0123456789abcdef0123456789abcdef"

_REPORT = """\
Return-Path: <>
Delivered-To: {to}
From: {by}
To: {to}
Subject: {subject}
Auto-Submitted: {auto}
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="=_1"

This is a MIME-encapsulated message.

--=_1
Content-Type: text/plain; charset=utf-8

{words}

--=_1
Content-Type: {fields_type}

{fields}
--=_1
Content-Type: {original_type}

{original}
--=_1--
"""

ORIGINAL = """\
Return-Path: <{sender}>
From: Magick AI <news@example.com>
To: Ada Okafor <ada@example.org>
Subject: This week
Date: Mon, 10 Mar 2025 09:00:00 +0530
Message-ID: <{mark}@example.com>
List-Id: weekly <weekly.example.com>

"""


def wire(text: str) -> bytes:
    """With the line ends of a mail."""
    return text.replace("\n", "\r\n").encode()


def bounce(
    to: str,
    fields: str,
    *,
    by: str = "MAILER-DAEMON@mx.example.org",
    words: str = "sorry",
    mark: str = MARK,
    subject: str = "Undelivered Mail Returned to Sender",
    auto: str = "auto-replied",
    original_type: str = "text/rfc822-headers",
) -> bytes:
    """A delivery status notification that came to `to`; `fields` are those of RFC 3464."""
    original = ORIGINAL.format(sender=to, mark=mark)
    return wire(
        _REPORT.format(
            to=to,
            by=by,
            subject=subject,
            auto=auto,
            kind="delivery-status",
            words=words,
            fields=fields,
            fields_type="message/delivery-status",
            original_type=original_type,
            original=original,
        )
    )


def postfix(
    to: str,
    status: str = "5.1.1",
    diagnosis: str = "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    recipient: str = "ada@example.org",
    action: str = "failed",
    mark: str = MARK,
) -> bytes:
    """Postfix, which answers automatically and says so."""
    return bounce(
        to,
        f"""\
Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4ZkBc10r6Wz9s
X-Postfix-Sender: rfc822; {to}
Arrival-Date: Mon, 10 Mar 2025 09:00:01 +0530 (IST)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; {diagnosis}
""",
        by="MAILER-DAEMON@mx.example.org (Mail Delivery System)",
        mark=mark,
    )


def exchange(to: str) -> bytes:
    """Exchange Online: the diagnosis is folded, the original comes whole."""
    return bounce(
        to,
        """\
Reporting-MTA: dns;DB9PR01MB7801.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mail.example.com
Arrival-Date: Mon, 10 Mar 2025 03:30:02 +0000

Final-Recipient: rfc822;ada@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not
 found by SMTP address lookup
X-Display-Name: Ada Okafor

""",
        by="postmaster@example.org",
        subject="Undeliverable: This week",
        auto="auto-replied",
        original_type="message/rfc822",
    )


def gmail(to: str) -> bytes:
    """Gmail: no Original-Recipient, the reply has several lines, the domain of the postmaster is Google's."""
    return bounce(
        to,
        """\
Reporting-MTA: dns; googlemail.com
Arrival-Date: Sun, 09 Mar 2025 20:30:03 -0700 (PDT)
X-Original-Message-ID: <0123456789abcdef0123456789abcdef@example.com>

Final-Recipient: rfc822; ada@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.google.com. (2404:6800:4003:c00::1a, the server for the domain example.org.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces.
Last-Attempt-Date: Sun, 09 Mar 2025 20:30:04 -0700 (PDT)
""",
        by="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject="Delivery Status Notification (Failure)",
        original_type="message/rfc822",
    )


def yahoo(to: str) -> bytes:
    """Yahoo: a code that says nothing, and words that do."""
    return bounce(
        to,
        """\
Reporting-MTA: dns; atlas-production.v2-mail-prod1-gq1.omega.yahoo.com

Final-Recipient: rfc822; ada@example.org
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 554 delivery error: dd Sorry, your message to ada@example.org cannot be delivered. This
 mailbox is disabled (554.30).
""",
        by="MAILER-DAEMON@yahoo.com",
        subject="Failure Notice",
        auto="auto-generated",
        original_type="message/rfc822",
    )


def complaint(
    to: str, sender: str, *, kind: str = "abuse", mark: str = MARK, recipient: str = "ada@example.org"
) -> bytes:
    """A feedback report as Yahoo's complaint feedback loop writes it, which comes to an address of its own."""
    fields = f"""\
Feedback-Type: {kind}
User-Agent: Yahoo!-Mail-Feedback/2.0
Version: 0.1
Original-Mail-From: <{sender}>
Original-Rcpt-To: {recipient}
Received-Date: Mon, 10 Mar 2025 09:00:03 +0530
Reported-Domain: example.com
"""
    return wire(
        _REPORT.format(
            to=to,
            by="feedback@arf.mail.yahoo.com",
            subject="FW: This week",
            auto="auto-generated",
            kind="feedback-report",
            words="This is an email abuse report.",
            fields=fields,
            fields_type="message/feedback-report",
            original_type="message/rfc822",
            original=ORIGINAL.format(sender=sender, mark=mark),
        )
    )


def vacation(to: str) -> bytes:
    """An autoreply that looks like a bounce: null sender, the subject, the words and the code of one."""
    return wire(
        f"""\
Return-Path: <>
From: Ada Okafor <ada@example.org>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Precedence: bulk
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown.
Action: failed
Status: 5.1.1
I am out of the office until Monday.
"""
    )


def read_receipt(to: str) -> bytes:
    """A disposition notification (RFC 8098): a report, and none of a delivery."""
    return bounce(to, "Final-Recipient: rfc822; ada@example.org\nAction: failed\nStatus: 5.1.1\n").replace(
        b"report-type=delivery-status", b"report-type=disposition-notification"
    )
