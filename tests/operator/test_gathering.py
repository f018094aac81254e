from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from flux.kernel.bus import LocalBus
from flux.kernel.faults import Ports
from flux.kernel.watch import Metrics
from flux.operator.probes.gathering import Gathering, merged, siblings


def worker(bus: LocalBus, number: int, workers: int, group: str = "g") -> tuple[Metrics, Gathering]:
    metrics = Metrics(worker=number)
    return metrics, Gathering(bus, metrics, workers=workers, group=group)


async def test_whoever_is_asked_answers_for_all() -> None:
    bus = LocalBus(Ports())
    crew = [worker(bus, number, 3) for number in range(3)]
    stranger, outside = worker(bus, 9, 3, group="another-port")
    for number, (metrics, gathering) in enumerate(crew):
        await gathering.start()
        for _ in range(number + 1):
            metrics.request("content", "GET /x", 200, 0.001)
    await outside.start()
    stranger.request("content", "GET /x", 200, 0.001)
    for _, gathering in crew:
        text = (await gathering.text()).decode()
        families = list(text_string_to_metric_families(text))
        names = [family.name for family in families]
        assert len(names) == len(set(names)) and "flux_requests" in names
        counted = {
            sample.labels["worker"]: sample.value
            for family in families
            if family.name == "flux_requests"
            for sample in family.samples
        }
        assert counted == {"0": 1.0, "1": 2.0, "2": 3.0}
    first, second = await asyncio.gather(crew[0][1].text(), crew[1][1].text())
    assert first.count(b"flux_info{") == second.count(b"flux_info{") == 3


async def test_a_worker_that_is_away_costs_half_a_second_and_nothing_else() -> None:
    bus = LocalBus(Ports())
    (metrics, here), (_, away) = worker(bus, 0, 2), worker(bus, 1, 2)
    await here.start()
    await away.start()
    await away.stop()
    metrics.request("content", "GET /x", 200, 0.001)
    began = asyncio.get_running_loop().time()
    assert b'worker="0"' in await here.text()
    assert asyncio.get_running_loop().time() - began < 2


async def test_one_alone_asks_nobody() -> None:
    bus = LocalBus(Ports())
    heard: list[str] = []
    bus.subscribe("operator.>", lambda subject, payload: heard.append(subject))
    _, gathering = worker(bus, 0, 1)
    await gathering.start()
    assert b"flux_info" in await gathering.text() and heard == []


async def test_nonsense_on_the_bus_is_nobodys_question() -> None:
    bus = LocalBus(Ports())
    _, gathering = worker(bus, 0, 2)
    await gathering.start()
    for payload in (b"", b" ", b"a.b >", b"\xff\xfe x", b"x" * 1000):
        bus.publish("operator.metrics.g", payload)
    await asyncio.sleep(0.05)
    assert b"flux_info" in await gathering.text()


def test_texts_are_merged_family_by_family() -> None:
    one = b'# HELP a A.\n# TYPE a counter\na{w="0"} 1\n# HELP b B.\n# TYPE b gauge\nb{w="0"} 2\n'
    two = b'# HELP b B.\n# TYPE b gauge\nb{w="1"} 3\n# HELP c C.\n# TYPE c gauge\nc 4\n'
    assert merged([one, two]) == (
        b'# HELP a A.\n# TYPE a counter\na{w="0"} 1\n'
        b'# HELP b B.\n# TYPE b gauge\nb{w="0"} 2\nb{w="1"} 3\n'
        b"# HELP c C.\n# TYPE c gauge\nc 4\n"
    )
    assert merged([]) == b""


def test_siblings_have_one_name() -> None:
    assert siblings() == siblings() and siblings().isalnum()
