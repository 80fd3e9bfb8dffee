"""What most people would write: compiled Jinja2 templates, `EmailMessage`, `smtplib`, one connection. PORT MAILS."""

import secrets
import smtplib
import sys
from email.message import EmailMessage

from bench_peers_letter import html, text
from jinja2 import Environment

NAMES = ["Ada Okafor", "Ravi Menon", "Zoë Weiß", "Jürgen Groß", "Ann Lee", "Bo", "Łukasz Żak", "Ивáн", "Max", "Mia"]


def main(port: int, mails: int) -> None:
    """Prints how many were accepted."""
    environment = Environment(autoescape=True)
    page, words = environment.from_string(html()), environment.from_string(text())
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(mails):
            values = {"name": NAMES[number % 10], "email": f"r{number}@example.org", "token": secrets.token_urlsafe(15)}
            message = EmailMessage()
            message["From"] = "Dispatch <news@example.com>"
            message["To"] = values["email"]
            message["Subject"] = "This week"
            message["List-Unsubscribe"] = f"<https://example.com/u/{values['token']}>"
            message.set_content(words.render(values))
            message.add_alternative(page.render(values), subtype="html")
            server.send_message(message)
    print(mails)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
