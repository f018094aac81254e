"""What only the bucket has to prove: uploads are aborted, failures are named, keys lie under the prefix."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from tests.kernel.blobs.conftest import Bucket
from tests.kernel.blobs.streams import broken, content, endless, repeated, stream

from flux.kernel.blobs import BlobTooLarge
from flux.kernel.blobs.s3 import S3Blobs
from flux.kernel.faults.ports import Mode, PortFailure, Ports

MIB = 1024 * 1024


@pytest.fixture
async def blobs(bucket: Bucket) -> AsyncIterator[S3Blobs]:
    made = S3Blobs(bucket.settings, Ports())
    yield made
    await made.close()


async def test_keys_lie_under_the_prefix(blobs: S3Blobs, bucket: Bucket) -> None:
    await blobs.put("a/b.png", stream(b"x"), limit=1)
    assert bucket.keys() == ["flux/a/b.png"]


async def test_a_large_blob_is_a_multipart_object(blobs: S3Blobs, bucket: Bucket) -> None:
    await blobs.put("big", repeated(b"x" * MIB, 12), limit=12 * MIB)
    tag = bucket.client.head_object(Bucket="flux-blobs", Key="flux/big")["ETag"]
    assert tag.strip('"').endswith("-3"), "three parts of five MiB at most"


async def test_whatever_ends_the_stream_aborts_the_upload(blobs: S3Blobs, bucket: Bucket) -> None:
    with pytest.raises(ConnectionResetError):
        await blobs.put("broken", broken(*[b"x" * MIB] * 12), limit=99 * MIB)
    with pytest.raises(BlobTooLarge):
        await blobs.put("large", repeated(b"x" * MIB, 100), limit=12 * MIB)
    cancelled = asyncio.ensure_future(blobs.put("cancelled", endless(b"x" * 7 * MIB), limit=99 * MIB))
    async with asyncio.timeout(30):
        while "flux/cancelled" not in bucket.open_uploads():
            await asyncio.sleep(0.01)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (bucket.keys(), bucket.open_uploads()) == ([], [])


async def test_a_service_that_is_not_there_is_unavailable(bucket: Bucket, unused_tcp_port: int) -> None:
    settings = msgspec.structs.replace(bucket.settings, endpoint=f"http://127.0.0.1:{unused_tcp_port}")
    blobs = S3Blobs(settings, Ports())
    for act in (
        blobs.put("k", stream(b"x"), limit=1),
        blobs.put("k", repeated(b"x" * MIB, 12), limit=12 * MIB),
        content(blobs.read("k")),
        blobs.size("k"),
        blobs.delete("k"),
    ):
        with pytest.raises(PortFailure) as caught:
            await act
        assert (caught.value.port, caught.value.mode) == ("blobs", Mode.UNAVAILABLE)


async def test_a_bucket_that_is_not_there_is_an_error(bucket: Bucket) -> None:
    blobs = S3Blobs(msgspec.structs.replace(bucket.settings, bucket="other-bucket"), Ports())
    with pytest.raises(PortFailure) as caught:
        await blobs.put("k", stream(b"x"), limit=1)
    assert caught.value.mode is Mode.ERROR


async def test_a_service_that_never_answers_times_out(bucket: Bucket) -> None:
    release = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = msgspec.structs.replace(
            bucket.settings, endpoint=f"http://127.0.0.1:{port}", timeout_seconds=0.3
        )
        with pytest.raises(PortFailure) as caught:
            await S3Blobs(settings, Ports()).size("k")
        release.set()
    assert caught.value.mode is Mode.TIMEOUT
