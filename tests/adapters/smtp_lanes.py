"""Jobs for a lane, the notes it takes, and what it answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from syndicate.adapters.smtp import Smtp
from syndicate.adapters.smtp_allowance import Allowance
from syndicate.adapters.smtp_lane import SmtpLane
from syndicate.errors import LedgerError
from syndicate.model import Delivery, Mail, Outcome, Payload
from syndicate.model.lane import Job, Tried
from syndicate.testing.messages import mail


def job(number: int, payload: Payload) -> Job:
    delivery = Delivery(id=number, edition="weekly/1", recipient=f"reader{number}", account="mail", epoch=1)
    return Job.of(delivery, payload)


def jobs(*mails: Mail) -> Iterator[Job]:
    return (job(number, one) for number, one in enumerate(mails))


def many(count: int) -> Iterator[Job]:
    return (job(number, mail(f"reader{number}@example.org")) for number in range(count))


@dataclass
class Notes:
    """An attempt log that checks the order of what it is told, and fails where it is told to."""

    #: the n-th `started` fails, counted from 0
    fails_at: int | None = None
    #: whether every `done` fails
    fails_at_end: bool = False
    began: set[int] = field(default_factory=set)
    ended: dict[int, Outcome] = field(default_factory=dict)
    #: most deliveries that were in doubt at the same time
    most_in_doubt: int = 0

    @property
    def in_doubt(self) -> set[int]:
        return self.began - self.ended.keys()

    def started(self, *jobs: Job) -> None:
        numbers = {job.delivery.id for job in jobs}
        assert len(numbers) == len(jobs)
        assert not numbers & self.began
        if self.fails_at is not None and self.fails_at < len(self.began) + len(jobs):
            raise LedgerError("no space left")
        self.began |= numbers
        self.most_in_doubt = max(self.most_in_doubt, len(self.in_doubt))

    def done(self, delivery: Delivery, outcome: Outcome) -> None:
        assert delivery.id not in self.ended
        self.ended[delivery.id] = outcome
        if self.fails_at_end:
            raise LedgerError("no space left")

    def all_done(self, tried: Sequence[Tried]) -> None:
        for one in tried:
            self.done(one.job.delivery, one.outcome)


def lane(smtp: Smtp, pauses: tuple[float, ...] = (0.0, 0.0)) -> SmtpLane:
    """The adapter's lane, but without patience."""
    return SmtpLane(smtp.options, Allowance(smtp.options.connections), pauses=pauses)


def answers(smtp: Smtp, work: Iterable[Job], record: Notes | None = None) -> dict[int, Outcome]:
    """Number of the job -> what became of it; each is answered once."""
    found: dict[int, Outcome] = {}
    for tried in lane(smtp).run(iter(work), record or Notes()):
        if tried:
            assert tried.job.delivery.id not in found
            found[tried.job.delivery.id] = tried.outcome
    return found
