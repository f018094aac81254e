"""Counts and durations for Prometheus.

The loop notes what happens as plain additions on objects it already holds (about 0.3 µs a request, a sixth of
what locked Prometheus children take); a scrape reads them out. Everything that counts for itself elsewhere (store,
bus, realtime) is read at the scrape through `read`, and costs nothing in between.

    meter = metrics.meter("community", "POST /channels/{channel_id}/messages")     once, when mounting
    meter.observe(201, 0.0007)                                                     for each answer
    metrics.read("flux_store_commits_total", "Commits made durable.", lambda: db.commits, kind="counter")
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from flux.kernel.watch.processes import usage

log = logging.getLogger("flux.watch")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the duration buckets, in seconds; the last one is open."""
_BOUNDS = (*(str(bound) for bound in BUCKETS), "+Inf")


class RouteMeter:
    """The counts of one route, touched only by the loop."""

    __slots__ = ("buckets", "by_class", "plane", "route", "seconds")

    def __init__(self, plane: str, route: str) -> None:
        self.plane = plane
        self.route = route
        self.by_class = [0] * 6
        self.buckets = [0] * len(_BOUNDS)
        self.seconds = 0.0

    def observe(self, status: int, seconds: float) -> None:
        """One answer with `status` (100..599), `seconds` after its request."""
        self.by_class[status // 100] += 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    meaning: str
    kind: Literal["gauge", "counter"]
    read: Callable[[], float]
    labels: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """Every count of one process around one registry. `worker` marks its series, so that those of several
    workers behind one port are told apart."""

    def __init__(self, *, version: str = "", worker: int = 0) -> None:
        self.registry = CollectorRegistry()
        self._worker = str(worker)
        self._version = version
        self._meters: dict[tuple[str, str], RouteMeter] = {}
        self._faults: dict[tuple[str, str, int], int] = {}
        self._sockets: dict[str, int] = {}
        self._jobs: dict[tuple[str, str], int] = {}
        self._sources: list[_Source] = []
        self.registry.register(_Readout(self))

    def meter(self, plane: str, route: str) -> RouteMeter:
        """The one meter of that route; keep it."""
        found = self._meters.get((plane, route))
        if found is None:
            found = self._meters[plane, route] = RouteMeter(plane, route)
        return found

    def request(self, plane: str, route: str, status: int, seconds: float) -> None:
        """The same for whoever has no meter at hand."""
        (self._meters.get((plane, route)) or self.meter(plane, route)).observe(status, seconds)

    def fault(self, plane: str, code: str, status: int) -> None:
        """A declared failure left the house."""
        key = (plane, code, status)
        self._faults[key] = self._faults.get(key, 0) + 1

    def socket_opened(self, plane: str) -> None:
        self._sockets[plane] = self._sockets.get(plane, 0) + 1

    def socket_closed(self, plane: str) -> None:
        self._sockets[plane] = self._sockets.get(plane, 0) - 1

    def job(self, kind: str, outcome: str) -> None:
        """`outcome` is one of a few words: done, failed, dead."""
        key = (kind, outcome)
        self._jobs[key] = self._jobs.get(key, 0) + 1

    def read(
        self,
        name: str,
        meaning: str,
        source: Callable[[], float],
        *,
        kind: Literal["gauge", "counter"] = "gauge",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Ask `source` at each scrape. A counter's name ends in `_total`. The same name may come again with other
        values of the same labels."""
        if kind == "counter" and not name.endswith("_total"):
            raise ValueError(f"{name}: a counter's name ends in _total")
        self._sources.append(_Source(name, meaning, kind, source, dict(labels or {})))

    def text(self) -> bytes:
        """The exposition format. Safe in a thread: thousands of series take tens of milliseconds to write."""
        return generate_latest(self.registry)

    content_type: str = CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """Everything as Prometheus families; the registry calls this."""
        info = InfoMetricFamily("flux", "The program.")
        info.add_metric([], {"version": self._version, "worker": self._worker})
        yield info
        yield from self._requests()
        faults = CounterMetricFamily(
            "flux_faults",
            "Declared failures that left the house.",
            labels=["worker", "plane", "code", "status"],
        )
        for (plane, code, status), count in list(self._faults.items()):
            faults.add_metric([self._worker, plane, code, str(status)], count)
        yield faults
        sockets = GaugeMetricFamily(
            "flux_open_sockets", "WebSocket connections open now.", labels=["worker", "plane"]
        )
        for plane, count in list(self._sockets.items()):
            sockets.add_metric([self._worker, plane], count)
        yield sockets
        jobs = CounterMetricFamily(
            "flux_jobs", "Jobs that ran, by how they ended.", labels=["worker", "kind", "outcome"]
        )
        for (kind, outcome), count in list(self._jobs.items()):
            jobs.add_metric([self._worker, kind, outcome], count)
        yield jobs
        yield from self._process()
        yield from self._read_sources()

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "flux_requests", "Requests answered.", labels=["worker", "plane", "route", "status"]
        )
        seconds = HistogramMetricFamily(
            "flux_request_seconds", "Time from request to answer.", labels=["worker", "plane", "route"]
        )
        for meter in list(self._meters.values()):
            counts, buckets, spent = meter.by_class[:], meter.buckets[:], meter.seconds
            if not any(buckets):
                continue
            for hundreds, count in enumerate(counts):
                if count:
                    requests.add_metric([self._worker, meter.plane, meter.route, f"{hundreds}xx"], count)
            seconds.add_metric([self._worker, meter.plane, meter.route], list(_cumulated(buckets)), spent)
        yield requests
        yield seconds

    def _process(self) -> Iterator[Metric]:
        now = usage()
        yield _single(
            GaugeMetricFamily,
            "process_resident_memory_bytes",
            "Resident memory.",
            self._worker,
            now.rss_bytes,
        )
        yield _single(
            CounterMetricFamily,
            "process_cpu_seconds",
            "Processor time, user and system.",
            self._worker,
            now.cpu_seconds,
        )
        if now.open_files is not None:
            yield _single(
                GaugeMetricFamily, "process_open_fds", "Open file descriptors.", self._worker, now.open_files
            )

    def _read_sources(self) -> Iterator[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for source in list(self._sources):
            family = families.get(source.name)
            if family is None:
                names = ["worker", *source.labels]
                name = source.name.removesuffix("_total")
                kind = CounterMetricFamily if source.kind == "counter" else GaugeMetricFamily
                family = families[source.name] = kind(name, source.meaning, labels=names)
            try:
                value = source.read()
            except Exception:
                # One broken source must not take the others' figures away.
                log.warning("metric %s cannot be read", source.name, exc_info=True)
                continue
            family.add_metric([self._worker, *source.labels.values()], value)
        yield from families.values()


def _cumulated(buckets: list[int]) -> Iterator[tuple[str, float]]:
    total = 0
    for bound, count in zip(_BOUNDS, buckets, strict=True):
        total += count
        yield bound, total


def _single(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    name: str,
    meaning: str,
    worker: str,
    value: float,
) -> Metric:
    family = kind(name, meaning, labels=["worker"])
    family.add_metric([worker], value)
    return family


class _Readout(Collector):
    """Prometheus collects anew at each scrape; the counts live in `Metrics`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        return self._metrics.collect()
