from __future__ import annotations

import datetime
from typing import Any

import httpx
import pytest
from tests.operator.small import LETTERS, TOKEN, Small

GUARDED = [
    ("GET", "/sandbox/outbox"),
    ("POST", "/sandbox/clock"),
    ("GET", "/sandbox/ports"),
    ("POST", "/sandbox/faults"),
    ("DELETE", "/sandbox/faults"),
    ("PUT", "/sandbox/dns"),
    ("GET", "/operator/maintenance"),
    ("PUT", "/operator/maintenance"),
]


WRONG = [
    None,
    "",
    "Bearer",
    "Bearer wrong",
    f"Admin {TOKEN}",
    TOKEN,
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
]


async def test_only_the_admin_token_opens(http: httpx.AsyncClient) -> None:
    for method, path in GUARDED:
        for header in WRONG:
            headers = {} if header is None else {"Authorization": header}
            answer = await http.request(method, path, headers=headers, content=b"{not json")
            assert answer.status_code == 401 and answer.json()["code"] == "UNAUTHORIZED", (
                method,
                path,
                header,
            )
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_two_opinions_about_who_is_asking_are_none(http: httpx.AsyncClient) -> None:
    headers = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")]
    assert (await http.get("/sandbox/ports", headers=headers)).status_code == 401


async def test_the_outbox_is_handed_over_as_it_is(instance: Small, admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/sandbox/outbox")).json() == {"messages": LETTERS}
    assert (await admin.get("/sandbox/outbox", params={"to": "+15550100"})).json() == {
        "messages": LETTERS[:1]
    }
    assert (await admin.get("/sandbox/outbox/?to=nobody")).json() == {"messages": []}
    assert instance.asked == [None, "+15550100", "nobody"]


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("unavailable", 503, "SERVICE_UNAVAILABLE"),
        ("timeout", 503, "SERVICE_UNAVAILABLE"),
        ("error", 500, "INTERNAL_ERROR"),
    ],
)
async def test_a_broken_store_is_told(admin: httpx.AsyncClient, mode: str, status: int, code: str) -> None:
    await admin.post("/sandbox/faults", json={"port": "store", "mode": mode})
    answer = await admin.get("/sandbox/outbox")
    assert answer.status_code == status and answer.json()["code"] == code and "injected" not in answer.text
    assert (await admin.get("/sandbox/outbox")).status_code == 200


async def test_the_clock_moves_forward_for_everyone(instance: Small, admin: httpx.AsyncClient) -> None:
    before, fired = instance.house.clock.now_ms(), []
    instance.house.clock.call_later(3600, lambda: fired.append(True))
    answer = await admin.post("/sandbox/clock", json={"advance_seconds": 3600.5})
    told = datetime.datetime.fromisoformat(answer.json()["now"].replace("Z", "+00:00")).timestamp() * 1000
    assert 3_600_500 <= told - before < 3_605_000
    assert instance.house.clock.now_ms() - before >= 3_600_500
    assert (await admin.post("/sandbox/clock", json={"advance_seconds": 0})).status_code == 200
    assert fired == [True]


async def test_the_clock_stops_at_2080(instance: Small, admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/sandbox/clock", json={"advance_seconds": 2_000_000_000})
    assert answer.status_code == 400 and "2080" in answer.json()["message"]
    assert (await admin.post("/sandbox/clock", json={"advance_seconds": 1_500_000_000})).json()[
        "now"
    ] > "2070"
    assert (await admin.post("/sandbox/clock", json={"advance_seconds": 1_500_000_000})).status_code == 400
    assert instance.house.ids.next() < 1 << 63


REFUSED: list[tuple[str, str, Any, str]] = [
    ("POST", "/sandbox/clock", {}, "advance_seconds"),
    ("POST", "/sandbox/clock", {"advance_seconds": -1}, "advance_seconds"),
    ("POST", "/sandbox/clock", {"advance_seconds": "1"}, "advance_seconds"),
    ("POST", "/sandbox/clock", {"advance_seconds": True}, "advance_seconds"),
    ("POST", "/sandbox/clock", {"advance_seconds": None}, "advance_seconds"),
    ("POST", "/sandbox/clock", [], ""),
    ("POST", "/sandbox/faults", {"mode": "error"}, "port"),
    ("POST", "/sandbox/faults", {"port": "moon", "mode": "error"}, "port"),
    ("POST", "/sandbox/faults", {"port": 7, "mode": "error"}, "port"),
    ("POST", "/sandbox/faults", {"port": "store"}, "mode"),
    ("POST", "/sandbox/faults", {"port": "store", "mode": "explode"}, "mode"),
    ("POST", "/sandbox/faults", {"port": "store", "mode": "error", "count": 0}, "count"),
    ("POST", "/sandbox/faults", {"port": "store", "mode": "error", "count": 1.5}, "count"),
    ("POST", "/sandbox/faults", {"port": "store", "mode": "error", "seconds": -1}, "seconds"),
    ("POST", "/sandbox/faults", {"port": "store", "mode": "delay"}, "seconds"),
    ("PUT", "/sandbox/dns", {"txt": []}, "name"),
    ("PUT", "/sandbox/dns", {"name": "a.b", "txt": "x"}, "txt"),
    ("PUT", "/sandbox/dns", {"name": "a.b", "txt": ["x", 1]}, "txt.1"),
    ("PUT", "/sandbox/dns", {"name": "a b", "txt": []}, "name"),
    ("PUT", "/sandbox/dns", {"name": "a.b\n", "txt": []}, "name"),
    ("PUT", "/operator/maintenance", {"on": True}, "planes"),
    ("PUT", "/operator/maintenance", {"planes": [], "on": True}, "planes"),
    ("PUT", "/operator/maintenance", {"planes": ["content", "moon"], "on": True}, "planes.1"),
    ("PUT", "/operator/maintenance", {"planes": ["operator"], "on": True}, "planes.0"),
    ("PUT", "/operator/maintenance", {"planes": ["content"], "on": "yes"}, "on"),
]


async def test_values_that_do_not_fit_are_named_and_nothing_happens(
    instance: Small, admin: httpx.AsyncClient
) -> None:
    for method, path, body, at in REFUSED:
        answer = await admin.request(method, path, json=body)
        assert answer.status_code == 400 and answer.json()["code"] == "INVALID_REQUEST", (path, body)
        assert [problem["path"] for problem in answer.json()["details"]["problems"]] == [at], (path, body)
    assert (
        all(port["armed"] is None for port in instance.house.ports.state()) and not instance.house.maintenance
    )


HOSTILE = [
    b"", b"{", b"\xff", b'{"advance_seconds": 1e999}', b'{"advance_seconds": NaN}', b"[" * 5000, b'{"a\\u0000": 1}',
    b'{"advance_seconds": 1, "advance_seconds": 2}',
]  # fmt: skip


async def test_hostile_bodies_are_refused(admin: httpx.AsyncClient) -> None:
    for content in HOSTILE:
        answer = await admin.post("/sandbox/clock", content=content)
        assert answer.status_code == 400 and answer.json()["details"]["problems"], content[:40]


async def test_bodies_too_large_and_of_another_type(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/sandbox/clock", content=b" " * 70_000)
    assert answer.status_code == 413 and "65536" in answer.json()["message"]
    answer = await admin.post("/sandbox/clock", content=b"<x/>", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415


async def test_faults_are_armed_shown_spent_and_taken_back(instance: Small, admin: httpx.AsyncClient) -> None:
    def armed(answer: httpx.Response) -> dict[str, Any]:
        return {port["port"]: port["armed"] for port in answer.json()["ports"] if port["armed"]}

    first = await admin.post("/sandbox/faults", json={"port": "chain", "mode": "garbage", "count": 3})
    assert first.status_code == 200 and armed(first) == {
        "chain": {"mode": "garbage", "count": 3, "seconds": 0.0}
    }
    await admin.post("/sandbox/faults", json={"port": "mail", "mode": "delay", "seconds": 0.5})
    listing = await admin.get("/sandbox/ports")
    assert set(armed(listing)) == {"chain", "mail"} and len(listing.json()["ports"]) == 14
    cleared = await admin.delete("/sandbox/faults")
    assert cleared.status_code == 204 and cleared.content == b""
    assert armed(await admin.get("/sandbox/ports")) == {}


async def test_a_fault_of_the_bus_is_not_spent_on_telling_about_it(
    instance: Small, admin: httpx.AsyncClient
) -> None:
    await admin.post("/sandbox/faults", json={"port": "bus", "mode": "error"})
    await admin.post("/sandbox/clock", json={"advance_seconds": 1})
    assert instance.house.ports.armed("bus")


async def test_names_resolve_as_told(instance: Small, admin: httpx.AsyncClient) -> None:
    answer = await admin.put("/sandbox/dns", json={"name": "_Flux.Example.com.", "txt": ["a=1", "b=2"]})
    assert answer.status_code == 200 and answer.json() == {
        "name": "_Flux.Example.com.",
        "txt": ["a=1", "b=2"],
    }
    assert instance.dns.txt("_flux.example.COM") == ["a=1", "b=2"]
    await admin.put("/sandbox/dns", json={"name": "_flux.example.com", "txt": []})
    assert instance.dns.txt("_flux.example.com") == []


async def test_maintenance_is_switched_plane_by_plane(instance: Small, admin: httpx.AsyncClient) -> None:
    answer = await admin.put("/operator/maintenance", json={"planes": ["paygate", "content"], "on": True})
    assert answer.json() == {"maintenance": ["content", "paygate"]} and instance.house.maintenance == {
        "content",
        "paygate",
    }
    await admin.put("/operator/maintenance", json={"planes": ["content"], "on": False})
    assert (await admin.get("/operator/maintenance")).json() == {"maintenance": ["paygate"]}
    assert (await admin.get("/health")).status_code == 200
