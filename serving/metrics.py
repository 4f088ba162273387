"""What the service counts of itself, in the text format of Prometheus.

Belongs here: counting requests, the families of GET /metrics and their labels. Does not: state itself (`health`, the rooms), what
is counted across workers (`gathered`).

Requests are counted in plain numbers on the event loop, 0.7 us a request, and made into families when they are asked for; all
else is read from the rooms at that moment. Labels are bounded: routes are templates, what matches none is `unmatched`.
"""

import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from serving.unserved import Cut, refused

if TYPE_CHECKING:
    from serving.service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""The budget of a forecast, p99 of 10 ms, is a bound, and the speed of one, about 0.1 ms of work, lies in the first."""
UNMATCHED = "unmatched"
GONE = 499
"""Status, as nginx has it, of a request whose client went before it was answered."""


class Timings:
    """Counts and times of one route: what a histogram shows."""

    __slots__ = ("buckets", "total_s")

    def __init__(self) -> None:
        self.buckets, self.total_s = [0] * (len(BOUNDS_S) + 1), 0.0


class Meter:
    """Requests of one process, by route, method and status. Used on the event loop only."""

    def __init__(self, routes: Iterable[str]) -> None:
        self._routes = frozenset(routes)
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.timings: dict[str, Timings] = {}
        self.sockets = 0
        """WebSockets that are open."""

    def count(self, template: str | None, path: str, method: str, status: int, seconds: float) -> None:
        """One answered request; `template` is None where the router was not asked or knew none."""
        route = template or (path if path in self._routes else UNMATCHED)
        self.requests[route, method, status] += 1
        found = self.timings.get(route)
        if found is None:
            found = self.timings[route] = Timings()
        found.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        found.total_s += seconds

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("spx_http_requests", "Answered requests", labels=["route", "method", "status"])
        for (route, method, status), number in self.requests.items():
            requests.add_metric([route, method, str(status)], number)
        yield requests
        times = HistogramMetricFamily(
            "spx_http_request_duration_seconds", "From the request's headers to the first byte of its answer", labels=["route"]
        )
        for route, found in self.timings.items():
            rising, buckets = 0, []
            for bound, number in zip((*map(str, BOUNDS_S), "+Inf"), found.buckets, strict=True):
                rising += number
                buckets.append((bound, float(rising)))
            times.add_metric([route], buckets, sum_value=found.total_s)
        yield times
        turned_away = CounterMetricFamily("spx_connections_refused", "What was refused before any route", labels=["code"])
        yield CounterMetricFamily("spx_connections_cut", "Connections whose client did not read", value=Cut.number)
        for code, number in refused.items():
            turned_away.add_metric([code], number)
        yield turned_away
        yield GaugeMetricFamily("spx_websockets_open", "WebSockets that are open", value=self.sockets)


class Metrics(Collector):
    """Everything one process tells of itself."""

    def __init__(self, service: "Service", meter: Meter, version: str) -> None:
        self._service, self._meter, self._version = service, meter, version
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing is collected when this is registered: the service may not have started."""
        return []

    def collect(self) -> Iterator[Metric]:
        python = ".".join(map(str, sys.version_info[:3]))
        mode = self._service.settings.serving.mode
        yield InfoMetricFamily("spx_build", "What runs", value={"version": self._version, "python": python, "mode": mode})
        yield from self._meter.collect()
        yield from self._models()
        yield from self._vectors()
        yield from self._ledger()
        yield from self._stream()

    def _models(self) -> Iterator[Metric]:
        models = self._service.models
        labels = ["model"]
        generation = GaugeMetricFamily("spx_model_generation", "Generation of current.json that is served", labels=labels)
        loaded = GaugeMetricFamily("spx_model_loaded_timestamp_seconds", "When the model was loaded", labels=labels)
        info = InfoMetricFamily("spx_model", "The version that is served", labels=labels)
        for name, model in models.models.items():
            generation.add_metric([name], model.generation)
            loaded.add_metric([name], model.loaded_at.timestamp())
            info.add_metric([name], {"version": model.manifest.version, "family": model.manifest.family, "alias": model.alias})
        refused = GaugeMetricFamily("spx_models_refused", "Models whose files cannot be trusted", value=len(models.refused))
        yield from (generation, loaded, info, refused)

    def _vectors(self) -> Iterator[Metric]:
        store, now = self._service.vectors, self._service.now()
        age = GaugeMetricFamily("spx_vector_age_seconds", "The feed's clock minus the end of the last bar", labels=["instrument"])
        for name, vector in store.vectors.items():
            age.add_metric([name], vector.age(now if store.live.get(name) else vector.clock).total_seconds())
        yield age
        yield GaugeMetricFamily("spx_lake_readable", "1 while the lake can be read", value=int(store.unreadable is None))

    def _ledger(self) -> Iterator[Metric]:
        ledger = self._service.ledger
        given = CounterMetricFamily("spx_predictions", "Forecasts written down and answered", labels=["model", "signal"])
        for (name, signal), number in list(ledger.given.items()):
            given.add_metric([name, signal], number)
        yield given
        yield GaugeMetricFamily(
            "spx_ledger_backlog_bytes", "Journals of the home that are not known to be in the lake", value=ledger.waiting_bytes
        )
        yield GaugeMetricFamily("spx_ledger_problems", "What an operator must know of the ledger", value=len(ledger.problems()))

    def _stream(self) -> Iterator[Metric]:
        stream = self._service.stream
        hub, worker = stream.hub, stream.worker
        yield GaugeMetricFamily("spx_stream_listeners", "Sockets and event streams that are open", value=hub.listeners)
        yield CounterMetricFamily("spx_stream_listeners_dropped", "Listeners that did not keep up", value=hub.dropped)
        yield GaugeMetricFamily("spx_stream_problems", "Why new bars do not come everywhere", value=len(stream.problems()))
        if worker is not None:
            yield CounterMetricFamily("spx_stream_bars", "Bars taken", value=worker.bars)
            yield GaugeMetricFamily(
                "spx_stream_bar_seconds", "The last bar, from complete to visible to requests", value=worker.last_bar_s
            )
