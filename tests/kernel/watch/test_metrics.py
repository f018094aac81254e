from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flux.kernel.watch import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "worker"))
            found[sample.name, labels] = sample.value
    return found


def test_requests_are_counted_by_route_and_class_and_timed() -> None:
    metrics = Metrics()
    meter = metrics.meter("community", "GET /x")
    assert metrics.meter("community", "GET /x") is meter
    meter.observe(200, 0.0009)
    meter.observe(204, 0.03)
    metrics.request("community", "GET /x", 404, 100.0)
    found = samples(metrics)
    route = (("plane", "community"), ("route", "GET /x"))
    assert found["flux_requests_total", (*route, ("status", "2xx"))] == 2
    assert found["flux_requests_total", (*route, ("status", "4xx"))] == 1
    assert found["flux_request_seconds_count", route] == 3
    assert found["flux_request_seconds_sum", route] == pytest.approx(100.0309)
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "flux_request_seconds_bucket"
    }
    assert (
        buckets["0.001"] == 1
        and buckets["0.025"] == 1
        and buckets["0.05"] == 2
        and buckets["10.0"] == 2
        and buckets["+Inf"] == 3
    )


def test_a_bucket_bound_is_inclusive() -> None:
    metrics = Metrics()
    metrics.request("p", "r", 200, 0.005)
    found = samples(metrics)
    assert found["flux_request_seconds_bucket", (("le", "0.005"), ("plane", "p"), ("route", "r"))] == 1
    assert found["flux_request_seconds_bucket", (("le", "0.0025"), ("plane", "p"), ("route", "r"))] == 0


def test_routes_nobody_called_take_no_room() -> None:
    metrics = Metrics()
    metrics.meter("content", "GET /quiet")
    assert "quiet" not in metrics.text().decode()


def test_faults_sockets_and_jobs() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.fault("paygate", "DATABASE_ERROR", 500)
    metrics.socket_opened("community")
    metrics.socket_opened("community")
    metrics.socket_closed("community")
    metrics.job("mail", "done")
    found = samples(metrics)
    assert (
        found["flux_faults_total", (("code", "DATABASE_ERROR"), ("plane", "paygate"), ("status", "500"))] == 3
    )
    assert found["flux_open_sockets", (("plane", "community"),)] == 1
    assert found["flux_jobs_total", (("kind", "mail"), ("outcome", "done"))] == 1


def test_sources_are_read_at_the_scrape_and_a_broken_one_harms_no_other() -> None:
    metrics, held = Metrics(version="1.2", worker=3), [1.0]

    def broken() -> float:
        raise RuntimeError("gone")

    metrics.read("flux_bus_dropped_total", "Lost.", lambda: held[0], kind="counter")
    metrics.read("flux_broken", "Broken.", broken)
    metrics.read("flux_queue", "Waiting.", lambda: 7, labels={"queue": "a"})
    metrics.read("flux_queue", "Waiting.", lambda: 8, labels={"queue": "b"})
    assert samples(metrics)["flux_bus_dropped_total", ()] == 1
    held[0] = 5.0
    found = samples(metrics)
    assert found["flux_bus_dropped_total", ()] == 5
    assert found["flux_queue", (("queue", "a"),)] == 7 and found["flux_queue", (("queue", "b"),)] == 8
    assert found["process_resident_memory_bytes", ()] > 1_000_000
    text = metrics.text().decode()
    assert 'worker="3"' in text and 'version="1.2"' in text


def test_a_counter_is_named_as_one() -> None:
    with pytest.raises(ValueError, match="_total"):
        Metrics().read("flux_things", "Things.", lambda: 1, kind="counter")


def test_hostile_label_values_stay_in_their_place() -> None:
    metrics = Metrics()
    metrics.fault("p", 'A"} 1\nflux_evil 1', 400)
    assert not any(name == "flux_evil" for name, _ in samples(metrics))
