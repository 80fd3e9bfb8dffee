"""django-newsletter's own `submit_newsletter` on SQLite. PORT MAILS; run by a Python that has it."""

import sys
import tempfile
from pathlib import Path

import django
from bench_peers_letter import html, text
from django.conf import settings
from django.core.management import call_command

NAMES = ["Ada Okafor", "Ravi Menon", "Zoë Weiß", "Jürgen Groß", "Ann Lee", "Bo", "Łukasz Żak", "Ивáн", "Max", "Mia"]


def configure(folder: Path, port: int) -> None:
    """A project of its own, with templates that hold the finished letter."""
    templates = folder / "newsletter" / "message"
    templates.mkdir(parents=True)
    marks = {"{{ name }}": "{{ subscription.name }}", "{{ email }}": "{{ subscription.email }}"}
    marks["{{ token }}"] = "{{ subscription.activation_code }}"
    for name, content in (("message.html", html()), ("message.txt", text()), ("message_subject.txt", "This week")):
        for mark, theirs in marks.items():
            content = content.replace(mark, theirs)
        (templates / name).write_text(content, "utf-8")
    apps = ("contenttypes", "auth", "sessions", "messages", "sites", "admin")
    settings.configure(
        SECRET_KEY="bench",
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in apps), "sorl.thumbnail", "newsletter"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}},
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(folder)], "APP_DIRS": True}
        ],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        SITE_ID=1,
        USE_TZ=True,
        ROOT_URLCONF="newsletter.urls",
    )


def main(port: int, mails: int) -> None:
    """Prints how many were sent."""
    with tempfile.TemporaryDirectory() as folder:
        configure(Path(folder), port)
        django.setup()
        call_command("migrate", verbosity=0)
        from newsletter.models import Message, Newsletter, Submission, Subscription

        letter = Newsletter.objects.create(title="Dispatch", slug="dispatch", email="news@example.com", sender="News")
        message = Message.objects.create(title="This week", slug="this-week", newsletter=letter)
        people = [
            Subscription(
                newsletter=letter, name_field=NAMES[n % 10], email_field=f"r{n}@example.org", subscribed=True,
                activation_code=f"{n:040}",
            )
            for n in range(mails)
        ]  # fmt: skip
        Subscription.objects.bulk_create(people)
        submission = Submission.from_message(message)
        submission.prepared = True
        submission.save()
        Submission.submit_queue()
        submission.refresh_from_db()
        print(mails if submission.sent else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
