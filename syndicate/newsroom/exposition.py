"""What Prometheus reads: the numbers of this process, and what the ledger has open. Nothing in it names a recipient.

`registry` is what a page of the web serves; `served` is an HTTP server of its own for a scheduler without pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from syndicate import __version__
from syndicate.deliver.metrics import BOUNDS, Histogram, Meter
from syndicate.errors import SyndicateError, UsageError
from syndicate.model.delivery import OPEN_STATES

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from syndicate.app import App
    from syndicate.ledger.base import Ledger

LOOPBACK = "127.0.0.1"


class Exposition:
    """A collector in the sense of prometheus_client: everything is looked up when somebody asks."""

    def __init__(self, meter: Meter, app: Callable[[], App]) -> None:
        self._meter = meter
        self._app = app

    def describe(self) -> list[Metric]:
        """Nothing is collected before somebody asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every number there is now."""
        yield from self._of_this_process()
        app = self._app()
        try:
            if app.has_ledger():
                yield from of_ledger(app.ledger())
                yield from of_complaints(app)
        except SyndicateError:
            return  # a database that cannot be read now leaves gaps in its gauges, and the counters whole

    def _of_this_process(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        meter = self._meter
        yield InfoMetricFamily("syndicate", "This process.", {"version": __version__})
        settled = CounterMetricFamily(
            "syndicate_deliveries",
            "Deliveries settled: sent, refused, deferred, paused (the account was at fault), unknown, "
            "or returned without having been tried.",
            labels=["channel", "account", "outcome"],
        )
        for labels, count in meter.outcomes.items():
            settled.add_metric(labels, count)
        yield settled
        yield CounterMetricFamily(
            "syndicate_recovered", "Deliveries that dead workers left, settled since.", meter.recovered
        )
        flying = GaugeMetricFamily("syndicate_in_flight", "Messages on their way to a network.", labels=["account"])
        for account, count in (dict.fromkeys(meter.exchanges, 0) | meter.in_flight).items():
            flying.add_metric([account], count)
        yield flying
        exchanges = [([account], times) for account, times in list(meter.exchanges.items())]
        yield histogram("syndicate_exchange_seconds", "From taking a message up to its answer.", ["account"], exchanges)
        yield histogram("syndicate_settle_seconds", "Writing a batch of outcomes.", [], [([], meter.settlements)])
        ticks = CounterMetricFamily("syndicate_ticks", "Ticks of the scheduler.", labels=["outcome"])
        for outcome, count in meter.ticks.items():
            ticks.add_metric([outcome], count)
        yield ticks
        yield GaugeMetricFamily("syndicate_last_tick_timestamp_seconds", "When the last tick ended.", meter.last_tick)


def of_ledger(ledger: Ledger) -> Iterator[Metric]:
    """What is open, whichever process works on it."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    opened = GaugeMetricFamily(
        "syndicate_open_deliveries",
        "Deliveries that wait for a worker or a person, of editions that are not done.",
        labels=["channel", "account", "state"],
    )
    for labels, count in open_deliveries(ledger).items():
        opened.add_metric(labels, count)
    yield opened
    yield GaugeMetricFamily("syndicate_editions_awaiting", "Editions that wait for approval.", len(ledger.awaiting()))
    paused = GaugeMetricFamily("syndicate_account_paused", "Accounts that wait for a person.", labels=["account"])
    for pause in ledger.paused_accounts():
        paused.add_metric([pause.name], 1)
    yield paused


def of_complaints(app: App) -> Iterator[Metric]:
    """How many readers complain, over the editions of the last days; an empty channel stands for all of an account."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    from syndicate.returns.rates import complaint_rates

    labels = ["account", "channel"]
    rate = GaugeMetricFamily("syndicate_complaint_ratio", "Complaints to mails, of the last seven days.", labels=labels)
    sent = GaugeMetricFamily("syndicate_complaint_window_mails", "Mails of the last seven days.", labels=labels)
    for each in complaint_rates(app):
        rate.add_metric([each.account, each.channel], each.rate)
        sent.add_metric([each.account, each.channel], each.sent)
    yield rate
    yield sent


def open_deliveries(ledger: Ledger) -> dict[tuple[str, str, str], int]:
    """(channel, account, state) -> deliveries."""
    found: dict[tuple[str, str, str], int] = {}
    for key in dict.fromkeys((*ledger.unfinished(), *ledger.doubtful())):
        if row := ledger.edition(key):
            for state in sorted(OPEN_STATES):
                labels = row.channel, row.account, state.value
                found[labels] = found.get(labels, 0) + row.counts[state]
    return found


def histogram(name: str, says: str, labels: list[str], rows: list[tuple[list[str], Histogram]]) -> Metric:
    """Prometheus counts upwards: each bound has what lies below it too."""
    from prometheus_client.metrics_core import HistogramMetricFamily
    from prometheus_client.utils import floatToGoString

    family = HistogramMetricFamily(name, says, labels=labels)
    bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
    for values, row in rows:
        counts, below = list(row.counts), 0
        buckets = [(bound, below := below + count) for bound, count in zip(bounds, counts, strict=True)]
        family.add_metric(values, buckets, row.total)
    return family


def registry(meter: Meter, app: Callable[[], App]) -> CollectorRegistry:
    """All of it, with memory, processor time and open files of the process. `app` gives the present one."""
    from prometheus_client import CollectorRegistry, ProcessCollector

    made = CollectorRegistry()
    made.register(Exposition(meter, app))
    ProcessCollector(registry=made)
    return made


def endpoint(text: str) -> tuple[str, int]:
    """`[HOST:]PORT`, on this machine alone if no host is named. Raises `UsageError`."""
    host, _, port = text.rpartition(":")
    if port.isascii() and port.isdigit() and int(port) < 1 << 16:
        return host.strip("[]") or LOOPBACK, int(port)
    raise UsageError(f"{text!r} is no port to listen on", hint="Write it like 9464, or 0.0.0.0:9464 for all networks.")


@contextmanager
def served(meter: Meter, app: Callable[[], App], where: str) -> Iterator[str]:
    """Answers `GET /metrics` at `[HOST:]PORT` (0: any port that is free); its address. Raises `UsageError`."""
    from prometheus_client import start_http_server

    host, port = endpoint(where)
    try:
        server, thread = start_http_server(port, host, registry(meter, app))
    except OSError as error:
        raise UsageError(f"metrics cannot be served at {host}:{port}: {error.strerror}") from error
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
