"""ETags: another one whenever the bytes are others, the same from every process of an instance, and 304 for whoever has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flux.content.delivery.naming import Names
from flux.kernel.identity import Vault
from tests.content.world import World, a_field
from tests.harness.server import Server

names = Names(Vault(bytes(32)))


@given(st.binary(max_size=300), st.data())
def test_other_bytes_have_another_name(body: bytes, data: st.DataObject) -> None:
    name = names.of(body)
    assert name == Names(Vault(bytes(32))).of(body)
    assert name != Names(Vault(b"1" * 32)).of(body)
    assert name != names.of(body + b"\0") and name != names.of(b"\0" + body)
    if body:
        at = data.draw(st.integers(0, len(body) - 1))
        assert name != names.of(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        assert name != names.of(body[:at] + body[at + 1 :])


async def test_whoever_has_an_answer_is_told_so_until_it_changes(server: Server) -> None:
    world = await World.make(server)
    folder = await world.collection("things", [a_field("title")])
    await world.api("shop", [folder])
    first = await world.publish(folder, {"title": "one"})
    paths = ["/shop/things", f"/shop/things/{first}", "/shop/_router", "/shop/things/_schema"]
    seen: dict[str, str] = {}
    for path in paths:
        answer = await world.get(path)
        etag = seen[path] = answer.headers["etag"]
        assert etag.startswith('"') and etag.endswith('"') and len(etag) == 34
        for sent in (etag, f'"other", W/{etag}', "*"):
            again = await world.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        other = await world.get(path, headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, answer.content)
    assert len(set(seen.values())) == len(paths)
    await world.publish(folder, {"title": "two"})
    listed = await world.get(paths[0], headers={"If-None-Match": seen[paths[0]]})
    assert listed.status_code == 200 and listed.headers["etag"] != seen[paths[0]]
    # Nothing of the first has changed: its bytes are the same, and so is their name.
    assert (await world.get(paths[1], headers={"If-None-Match": seen[paths[1]]})).status_code == 304
