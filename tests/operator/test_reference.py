from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from tests.operator.small import Small, neighbours

from flux.kernel.faults import Retry, load_contract
from flux.kernel.wire import Plane, Routes
from flux.operator.plane import outline
from flux.operator.reference import Entry, Proof, Proofs, explain, print_json, print_matrix, reference
from flux.operator.reference import proofs as proofs_room
from flux.operator.reference.page import Choice, ErrorPage

PLANES = ["community", "content", "paygate", "operator"]
PROOFS = Proofs(
    {
        "community:UNKNOWN_CHANNEL@404": Proof(
            "2026-02-19T19:34:23Z", "GET /things/2", "curl -H 'X: <y>' http://127.0.0.1/x"
        ),
        "paygate:RATE_LIMIT_EXCEEDED@429": Proof("2026-02-19T19:34:23Z"),
    }
)


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return reference([*neighbours(), outline(sandbox=True)], PROOFS)


def of(entries: list[Entry], plane: str, code: str, status: int) -> Entry:
    return next(
        entry
        for entry in entries
        if (entry.row.plane, entry.row.code, entry.row.status) == (plane, code, status)
    )


# --- the data ------------------------------------------------------------------------------------------------


def test_there_is_one_entry_a_contract_row_in_its_order(entries: list[Entry]) -> None:
    law = [(row.plane, row.code, row.status) for plane in PLANES for row in load_contract(plane)]
    assert [(entry.row.plane, entry.row.code, entry.row.status) for entry in entries] == law
    for entry, row in zip(entries, (row for plane in PLANES for row in load_contract(plane)), strict=True):
        assert (entry.row.published, entry.row.cause, entry.row.message) == (
            row.published,
            row.cause,
            row.message,
        )
        assert bool(entry.reason) is not row.published and entry.row.advice
        assert entry.row.retry in {retry.value for retry in Retry}


def test_the_operator_surface_comes_last_wherever_it_stands() -> None:
    planes = [outline(sandbox=True), *neighbours()]
    assert list(dict.fromkeys(entry.row.plane for entry in reference(planes, Proofs()))) == PLANES


def test_routes_are_those_that_declare_or_imply_the_failure(entries: list[Entry]) -> None:
    for plane in neighbours():
        for route in plane.routes:
            for fault in plane.faults:
                named = route.name in of(entries, plane.name, fault.code, fault.status).row.routes
                assert named == (fault in plane.can_fail_with(route))
    internal = of(entries, "operator", "INTERNAL_ERROR", 500)
    assert internal.everywhere and len(internal.row.routes) == len(outline(sandbox=True).routes)
    assert not of(entries, "operator", "UNAUTHORIZED", 401).everywhere
    assert of(entries, "operator", "METHOD_NOT_ALLOWED", 405).row.routes == []


def test_hidden_routes_stay_hidden() -> None:
    plane = outline(sandbox=False)
    hidden = Routes()

    async def secret(call: object) -> None: ...

    hidden.get("/secret", hidden=True)(secret)
    shown = Plane(
        plane.name,
        "",
        Routes.joined([plane.routes, hidden]),
        plane.faults,
        plane.envelope,
        implied=plane.implied,
    )
    internal = of(reference([shown], Proofs()), "operator", "INTERNAL_ERROR", 500)
    assert "GET /secret" not in internal.row.routes and internal.everywhere


def test_a_code_under_two_statuses_is_named_with_its_status(entries: list[Entry]) -> None:
    assert of(entries, "paygate", "RATE_LIMIT_EXCEEDED", 429).name == "RATE_LIMIT_EXCEEDED@429"
    assert of(entries, "community", "UNKNOWN_CHANNEL", 404).name == "UNKNOWN_CHANNEL"


def test_proofs_are_read_from_the_last_run_or_from_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = tmp_path / "contract"
    contract.mkdir()
    monkeypatch.setattr(proofs_room, "contract_dir", lambda: contract)
    assert len(Proofs.read()) == 0
    (contract / "proofs.json").write_text(
        '{"a:B@400": {"at": "2026-01-01T00:00:00Z", "route": "GET /x", "curl": "curl"}}'
    )
    assert Proofs.read().of("a:B@400") == Proof("2026-01-01T00:00:00Z", "GET /x", "curl")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "proofs.json").write_text('{"a:C@400": {"at": "2026-01-02T00:00:00Z"}}')
    assert Proofs.read().of("a:B@400") is None and Proofs.read().of("a:C@400")
    (tmp_path / "build" / "proofs.json").write_text("nonsense")
    assert Proofs.read().of("a:B@400")


# --- in a terminal -------------------------------------------------------------------------------------------


def test_the_matrix_has_an_aligned_line_a_code(entries: list[Entry]) -> None:
    out = io.StringIO()
    print_matrix(entries, out)
    lines = out.getvalue().splitlines()
    head, rows = lines[0], lines[1 : len(entries) + 1]
    assert head.split() == ["PLANE", "CODE", "STATUS", "ROUTES", "LAST", "PROOF"]
    for row, entry in zip(rows, entries, strict=True):
        assert row.startswith(entry.row.plane) and row[head.index("CODE") :].startswith(entry.row.code)
        assert row[: head.index("STATUS") + 6].endswith(str(entry.row.status))
        assert row[: head.index("ROUTES") + 6].endswith(f" {len(entry.row.routes)}")
        assert (" *" in row) is not entry.row.published
    known = next(row for row in rows if "UNKNOWN_CHANNEL" in row)
    assert known.endswith("2026-02-19 19:34 on GET /things/2")
    assert f"{len(entries)} codes" in out.getvalue() and "2 with a proof" in out.getvalue()


def test_the_matrix_of_one_plane(entries: list[Entry]) -> None:
    out = io.StringIO()
    print_matrix(entries, out, plane="content")
    rows = out.getvalue().splitlines()[1:-3]
    assert len(rows) == len(load_contract("content")) and all(row.startswith("content ") for row in rows)


def test_json_for_programs(entries: list[Entry]) -> None:
    out = io.StringIO()
    print_json(entries, out, plane="paygate")
    rows = json.loads(out.getvalue())
    assert [row["code"] for row in rows] == [row.code for row in load_contract("paygate")]
    assert list(rows[0]) == [
        "plane",
        "code",
        "status",
        "published",
        "message",
        "cause",
        "advice",
        "retry",
        "routes",
    ]


def test_a_code_is_explained(entries: list[Entry]) -> None:
    out = io.StringIO()
    assert explain(entries, "unknown_channel", out)
    text, row = out.getvalue(), of(entries, "community", "UNKNOWN_CHANNEL", 404).row
    assert text.startswith("UNKNOWN_CHANNEL  (community, 404 Not Found, published)\n")
    for part in (
        row.message,
        "2026-02-19 19:34 on GET /things/2",
        "curl -H 'X: <y>' http://127.0.0.1/x",
        *row.routes,
    ):
        assert part in text
    for part in (row.cause, row.advice):
        assert part in re.sub(r"\s+", " ", text)
    assert max(len(line) for line in text.splitlines()) <= 90


def test_which_failures_a_name_means(entries: list[Entry]) -> None:
    def found(name: str) -> list[str]:
        out = io.StringIO()
        assert explain(entries, name, out)
        return re.findall(r"^\w+  \((\w+, \d+)", out.getvalue(), re.MULTILINE)

    assert found("RATE_LIMIT_EXCEEDED") == ["content, 429", "paygate, 403", "paygate, 429"]
    assert found("RATE_LIMIT_EXCEEDED@403") == ["paygate, 403"]
    assert found("content:rate_limit_exceeded") == ["content, 429"]


def test_a_misspelled_code_gets_the_nearest(entries: list[Entry]) -> None:
    out = io.StringIO()
    assert not explain(entries, "UNKNOWN_CHANEL", out)
    assert "There is no code UNKNOWN_CHANEL" in out.getvalue() and "UNKNOWN_CHANNEL" in out.getvalue()
    out = io.StringIO()
    assert not explain(entries, "", out)


# --- the page ------------------------------------------------------------------------------------------------


class Seen(HTMLParser):
    """What stands in a page: ids, tags with their attributes, text by article."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.articles: dict[str, str] = {}
        self._article = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in ("meta", "link", "input"):
            self._open.append(tag)
        if "id" in found:
            self.ids.append(str(found["id"]))
        if tag == "article":
            self._article = str(found["id"])
            self.articles[self._article] = ""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "article":
            self._article = ""

    def handle_data(self, data: str) -> None:
        if self._article:
            self.articles[self._article] += data + " "


def seen(entries: list[Entry], **choice: str) -> Seen:
    answer = ErrorPage(entries, {"community": "/community"}).show(Choice(**choice))
    return Seen(answer.body.decode())


def test_every_code_has_an_anchor_and_everything_known_about_it(entries: list[Entry]) -> None:
    page = seen(entries)
    assert len(page.ids) == len(set(page.ids)) and len(page.articles) == len(entries)
    for entry in entries:
        row = entry.row
        assert f"{row.plane}-{row.code}" in page.ids
        anchor = f"{row.plane}-{row.code}" + (f"-{row.status}" if entry.ambiguous else "")
        text = re.sub(r"\s+", "", page.articles[anchor])
        for part in (row.code, str(row.status), row.message, row.cause, row.advice):
            assert re.sub(r"[\s`]+", "", part) in text, (anchor, part)
        assert ("extension" in text) or row.published
    assert "curl -H 'X: <y>' http://127.0.0.1/x" in page.articles["community-UNKNOWN_CHANNEL"]
    assert "2026-02-19 19:34 on GET /things/2" in page.articles["community-UNKNOWN_CHANNEL"]


def test_the_page_loads_nothing_and_its_policy_says_so(entries: list[Entry]) -> None:
    answer = ErrorPage(entries, {}).show(Choice())
    page = Seen(answer.body.decode())
    assert not [tag for tag, found in page.tags if tag in ("img", "iframe", "object") or "src" in found]
    outward = [
        found["href"]
        for _, found in page.tags
        if "href" in found and not str(found["href"]).startswith(("#", "/", "data:"))
    ]
    assert outward == []
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and policy.count("sha256-") == 2
    assert not [name for _, found in page.tags for name in found if name.startswith("on") or name == "style"]


def test_filters_narrow_the_page(entries: list[Entry]) -> None:
    assert len(seen(entries, plane="content").articles) == len(load_contract("content"))
    for entry_id in seen(entries, status="404").articles:
        assert any(
            entry.row.status == 404 and entry_id.startswith(f"{entry.row.plane}-{entry.row.code}")
            for entry in entries
        )
    assert set(seen(entries, plane="paygate", status="429", q="Rate  LIMIT").articles) == {
        "paygate-RATE_LIMIT_EXCEEDED-429"
    }
    assert "community-UNKNOWN_CHANNEL" in seen(entries, q="unknown channel").articles
    nothing = ErrorPage(entries, {}).show(Choice(plane="moon"))
    assert b'<p class="none">' in nothing.body and b"<article" not in nothing.body


def test_links_keep_the_other_filters_and_mark_the_chosen_one(entries: list[Entry]) -> None:
    page = seen(entries, plane="content", q="a b")
    links = [found for tag, found in page.tags if tag == "a" and "status=404" in str(found.get("href"))]
    assert [found["href"] for found in links] == ["/errors?plane=content&status=404&q=a+b"]
    current = [found["href"] for tag, found in page.tags if found.get("aria-current")]
    assert current == ["/errors?plane=content&q=a+b", "/errors?plane=content&q=a+b"]
    hidden = [
        (found["name"], found["value"])
        for tag, found in page.tags
        if tag == "input" and found["type"] == "hidden"
    ]
    assert hidden == [("plane", "content")]


async def test_the_served_page_and_its_data_agree(instance: Small, http: httpx.AsyncClient) -> None:
    rows = (await http.get("/errors.json")).json()
    page = Seen((await http.get("/errors")).text)
    assert len(rows) == len(page.articles) == sum(len(load_contract(plane)) for plane in PLANES)
    assert [row["plane"] for row in rows[-13:]] == ["operator"] * 13 and not any(
        row["published"] for row in rows[-13:]
    )
    assert "2026-02-19 19:34 on GET /nowhere" in page.articles["operator-NOT_FOUND"]
    assert {row["code"] for row in rows if row["published"] and row["plane"] == "paygate"} >= {
        "INVALID_REQUEST"
    }


async def test_hostile_filters_come_back_as_text(http: httpx.AsyncClient) -> None:
    evil = '"><script>alert(1)</script>'
    answer = await http.get("/errors", params={"plane": evil, "status": evil, "q": evil})
    assert answer.status_code == 200 and "<script>alert" not in answer.text
    Seen(answer.text)
    assert (await http.get("/errors?q=%00")).status_code == 400
    assert (await http.get("/errors?plane=%ff")).status_code == 400
    assert (await http.get("/errors?unknown=1&status=teapot")).status_code == 200


async def test_the_welcome_page_leads_everywhere(http: httpx.AsyncClient) -> None:
    page = Seen((await http.get("/")).text)
    links = {str(found["href"]) for tag, found in page.tags if tag == "a"}
    assert links >= {"/errors", "/errors.json", "/health", "/ready", "/metrics", "/openapi/community.json"}
    for link in links - {f"/openapi/{plane}.json" for plane in PLANES}:
        assert (await http.get(link)).status_code == 200, link
