"""The lane of SMTP: one thread and one loop over all connections to one server."""

from __future__ import annotations

import selectors
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from time import monotonic

from syndicate.adapters.smtp_allowance import Allowance
from syndicate.adapters.smtp_link import Link
from syndicate.adapters.smtp_mail import SpeakableMail, speakable
from syndicate.adapters.smtp_options import SmtpOptions
from syndicate.adapters.smtp_peer import Directory
from syndicate.adapters.smtp_protocol import Settled
from syndicate.adapters.smtp_replies import Phase, judge_fault
from syndicate.errors import LedgerError
from syndicate.model import Deferred, Paused, Receipt, Refused, Unknown
from syndicate.model.lane import Job, Record, Tried

#: Seconds without news after which the lane says so.
TICK = 0.25
#: Seconds before the next try, each time that no connection came to anything; after the last the lane gives up.
PAUSES = (1.0, 3.0, 9.0)
#: Connections that are attended to in one go. They share two writes of the log; but no dot of theirs leaves before the
#: next mail of each is composed, and if a hundred were ready at once, that would be half a round trip.
TOGETHER = 10
#: The same where we had to wait for the network: then it is the bound, and what it waits for is what counts.
ALONE = 2
_GOODBYE = 2.0  # seconds for answers to QUIT; nothing depends on them


class SmtpLane:
    """See `model.lane.Lane`. It returns before the jobs are at an end if the server cannot be reached any more."""

    def __init__(
        self,
        options: SmtpOptions,
        allowance: Allowance,
        *,
        pauses: tuple[float, ...] = PAUSES,
        pulse: Callable[[], float] = monotonic,
    ) -> None:
        """`allowance` outlives the lane, so that a server that was in distress is spared in the next run too."""
        self._wire = partial(Wire, options, allowance, pauses, pulse)

    def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
        """Sends, over as many connections as the server bears."""
        try:
            wire = self._wire()
        except OSError as error:  # no more files may be open
            yield from (Tried(job, judge_fault(Phase.CONNECT, error, "")) for job in islice(jobs, 1))
            return
        try:
            yield from wire.run(jobs, log)
        finally:
            wire.close()


class Wire:
    """Connections to one server. They stay open from one `run` to the next."""

    def __init__(
        self, options: SmtpOptions, allowance: Allowance, pauses: tuple[float, ...], pulse: Callable[[], float]
    ) -> None:
        self._options = options
        self._allowance = allowance
        self._pauses = pauses
        self._pulse = pulse
        self._selector = selectors.DefaultSelector()
        self._directory = Directory(options)
        self._links: list[Link] = []
        #: have said good-bye, and listen for the answer
        self._leaving: list[Link] = []
        self._allowed = 1  # until the first connection stands: a wrong password is tried once, not ten times
        self._proven = False
        self._failures = 0
        self._rests = 0.0
        self._checked = 0.0
        #: submitted and not settled
        self._under_way = 0
        #: not a word of them was answered: they go over another connection
        self._again: deque[Job] = deque()
        #: answers that the log does not know yet
        self._heard: list[Tried] = []
        self._news: deque[Tried] = deque()
        self._jobs: Iterator[Job] = iter(())
        self._dry = True
        self._halted: LedgerError | None = None
        self._log: Record

    def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
        """As `Lane.run`."""
        self._jobs, self._log, self._dry, self._halted = jobs, log, False, None
        try:
            yield from self._answers()
            if self._halted:
                raise self._halted
        finally:
            self._wind_up()

    def close(self) -> None:
        """Says good-bye to all who still listen."""
        while self._links:
            self._dismiss(self._links[-1])
        patience = self._pulse() + _GOODBYE
        while any(not link.talk.ended for link in self._leaving) and self._pulse() < patience:
            for key, _ in self._selector.select(TICK):
                key.data.hear()
        for link in self._leaving:
            link.hang_up()
        self._leaving.clear()
        self._selector.close()

    def _answers(self) -> Iterator[Tried | None]:
        self._turn(0)  # who hung up since the last run
        heard = self._pulse()
        while True:
            self._hand_out()
            if not self._news and not self._expects():
                return
            if not self._news:
                self._turn(TICK)
            now = self._pulse()
            if self._news:
                heard = now
                while self._news:
                    yield self._news.popleft()
            elif now - heard >= TICK:
                heard = now
                yield None

    def _expects(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self._under_way or self._again) or not (self._dry or self._halted)

    def _wind_up(self) -> None:
        """What is in doubt gets its answer, and the log gets to know it; what is not is dropped."""
        self._note()  # the next job may have failed between an answer and its note
        if self._under_way:
            self._halt(LedgerError("the lane was closed"))
        while any(link.talk.in_doubt for link in self._links):
            self._turn(TICK)
        self._again.clear()
        self._news.clear()

    # -- the loop

    def _turn(self, seconds: float) -> None:
        """Waits for the network, and does what it makes possible."""
        if not self._links:
            if self._directory.peer() is None:
                return self._directory.wait(seconds)
            seconds = min(seconds, max(0.0, self._rests - self._pulse()))
        ready, together = self._ready(0), TOGETHER
        if not ready:
            ready, together = self._ready(seconds), ALONE
        for first in range(0, len(ready), together):
            some = ready[first : first + together]
            for link in some:
                link.hear()
            self._attend(some)
        now = self._pulse()
        if now - self._checked >= TICK:
            self._checked = now
            for link in tuple(self._links):
                link.check(now)
                if link.talk.ended:
                    self._attend([link])
        return None

    def _ready(self, seconds: float) -> list[Link]:
        """Those that can be read or written by then."""
        return [key.data for key, _ in self._selector.select(seconds)]

    def _attend(self, links: Sequence[Link]) -> None:
        """Takes what connections have to tell, lets them speak, and gives them work.

        One behind the other: waking a server that sleeps costs more than a message. A message that was asked for is
        written before the next is composed, so that the wire does not wait for us.
        """
        for link in links:
            if link.talk.settled:
                self._collect(link)
            if self._halted and not link.talk.in_doubt:
                self._drop(link)
            else:
                link.speak()
        self._note()
        if not self._halted:
            for link in links:
                self._give(link)
        self._let_finish(links)
        for link in links:
            if link.talk.settled:
                self._collect(link)
            if link.talk.ended and (link in self._links or link in self._leaving):
                self._part(link)
        self._note()

    def _let_finish(self, links: Sequence[Link]) -> None:
        """Sends the final dots, once all of them are noted in one write.

        A look at what came in goes before, so that a server that refused or hung up in the middle of a message is
        noticed before the mail is in doubt.
        """
        poised = [link for link in links if link.poised]
        if not poised:
            return None
        if heard := [key.data for key, _ in self._selector.select(0) if key.data in poised]:
            for link in heard:
                link.hear()
            poised = [link for link in poised if link.poised]
        try:
            self._log.started(*[link.talk.next_ticket for link in poised])
        except LedgerError as error:
            return self._halt(error)
        for link in poised:
            link.finish()
        return None

    def _collect(self, link: Link) -> None:
        for event in link.talk.events():
            self._under_way -= 1
            if event.answered or not self._goes_again(link, event):
                self._settle(link, event)
            elif not self._halted:
                self._again.append(event.ticket)

    def _goes_again(self, link: Link, event: Settled) -> bool:
        """Whether the connection was the only trouble of a mail without an answer."""
        if not isinstance(event.outcome, Deferred) or event.outcome.after is not None:
            return False
        # A connection that has answered others was good: servers hang up after some mails, as Yahoo does. One that
        # never answered was one too many, as long as others stand; alone, its fault is the server's.
        return link.answered or len(self._links) > 1

    def _settle(self, link: Link, event: Settled) -> None:
        outcome = event.outcome
        if event.answered:
            link.answered = True
        if isinstance(outcome, Receipt):
            link.worked = True
            self._failures = 0
        elif isinstance(outcome, Deferred) and outcome.after is not None:
            self._allowance.slow_down(self._pulse())
        certain = event.answered or isinstance(outcome, Unknown)
        (self._heard if certain else self._news).append(Tried(event.ticket, outcome))

    def _note(self) -> None:
        """Answers go to the log before anybody hears of them, those of one turn in one write."""
        if self._heard:
            # They are known here and will be settled; the next `started` stops the run.
            with suppress(LedgerError):
                self._log.all_done(self._heard)
            self._news.extend(self._heard)
            self._heard.clear()

    def _part(self, link: Link) -> None:
        """A connection is over. What it was for shows what to do next."""
        if link in self._leaving:
            return self._leaving.remove(link)
        self._links.remove(link)
        if not link.worked and self._links:
            self._allowance.refused(len(self._links), self._pulse())
        elif not link.worked:
            self._rest(link.talk.ended)
        return self._directory.look_up()

    def _rest(self, end: Deferred | Paused | None) -> None:
        """No connection stands, and the last came to nothing."""
        self._failures += 1
        if self._failures <= len(self._pauses) and not isinstance(end, Paused):
            self._rests = self._pulse() + self._pauses[self._failures - 1]
            if not self._again and (job := self._job()):  # is there anything to wait for?
                self._again.append(job)
            return
        self._dry, self._failures = True, 0
        if end is None or isinstance(end, Deferred):
            end = replace(end or Deferred("no connection"), reached=False)  # nobody heard of the mail: it costs no try
        while self._again:
            self._news.append(Tried(self._again.popleft(), end))

    # -- the work

    def _hand_out(self) -> None:
        """Opens connections as long as there is work for them, and finds new ones for mails that lost theirs."""
        if self._halted:
            return
        now = self._pulse()
        self._allowed = self._allowance.count(now) if self._proven else 1
        if self._again or not self._under_way:
            for link in tuple(self._links):
                if link.talk.hungry:
                    self._attend([link])
        while len(self._links) < self._allowed and now >= self._rests and (job := self._job()):
            if not self._open(job):
                break

    def _job(self) -> Job | None:
        """The next one that can be spoken at all; None if there is none."""
        if self._again:
            return self._again.popleft()
        while not self._dry:
            job = next(self._jobs, None)
            if job is None:
                self._dry = True
            elif isinstance(job.payload, SpeakableMail) or not (refusal := _unspeakable(job)):
                return job
            else:
                self._news.append(Tried(job, refusal))
        return None

    def _open(self, job: Job) -> bool:
        """A new connection for a job; False if it has to wait for the name server."""
        peer = self._directory.peer()
        if peer is None:
            self._again.appendleft(job)
            self._directory.look_up()
            return False
        link = Link(self._options, peer, self._selector, self._pulse)
        self._links.append(link)
        self._under_way += 1
        link.talk.submit(job.payload, job)
        if link.talk.ended:
            self._attend([link])
        return True

    def _give(self, link: Link) -> None:
        """Jobs, as long as the connection can start them; or its leave, if there are more than the server bears."""
        talk = link.talk
        self._proven = self._proven or talk.ready
        if len(self._links) > self._allowed and self._proven:
            if talk.idle:
                self._dismiss(link)
            return
        while talk.hungry and (job := self._job()):
            self._under_way += 1
            talk.submit(job.payload, job)
        if not talk.at_dot:
            link.speak()

    def _dismiss(self, link: Link) -> None:
        self._links.remove(link)
        self._leaving.append(link)
        link.quit()

    # -- the end

    def _halt(self, error: LedgerError) -> None:
        """Nothing more is begun. Its jobs are not answered; none of them left."""
        self._halted = self._halted or error
        self._dry = True
        self._again.clear()
        for link in tuple(self._links):
            if not link.talk.in_doubt:
                self._drop(link)

    def _drop(self, link: Link) -> None:
        link.hang_up()
        self._under_way -= len(link.talk.events())
        if link in self._links:
            self._links.remove(link)


def _unspeakable(job: Job) -> Refused | None:
    """Why nobody needs to be called for this job."""
    try:
        speakable(job.payload)
    except ValueError as error:
        return Refused(str(error))
    return None
