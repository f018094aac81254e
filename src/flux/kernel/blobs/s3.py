"""Blobs in an S3 bucket, through obstore.

A blob of up to one part is a single request; a larger one is a multipart upload, which is aborted when its stream
ends badly. A process that is killed may leave an open upload behind: give the bucket a lifecycle rule for those.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from flux.kernel.blobs.blocks import Intake
from flux.kernel.blobs.keys import check_key, check_range
from flux.kernel.blobs.port import BlobInfo, BlobMissing
from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.settings.blobs import BlobSettings

_READ = 256 * 1024
_PARTS_AT_ONCE = 2


class _Abandoned(Exception):
    """Ends a multipart upload whose stream ended badly."""


class S3Blobs:
    def __init__(self, settings: BlobSettings, ports: Ports) -> None:
        self._part_bytes = settings.part_bytes
        self._ports = ports
        timeout = timedelta(seconds=settings.timeout_seconds)
        options: dict[str, object] = {}
        if settings.endpoint:
            options["endpoint"] = settings.endpoint
        if settings.access_key_id:
            options["access_key_id"] = settings.access_key_id
            options["secret_access_key"] = settings.secret_access_key
        self._store = S3Store(
            settings.bucket,
            prefix=settings.prefix.strip("/") or None,
            region=settings.region,
            virtual_hosted_style_request=settings.virtual_hosts,
            client_options={"allow_http": settings.endpoint.startswith("http://"), "timeout": timeout},
            retry_config={"max_retries": settings.retries, "retry_timeout": timeout},
            **options,  # type: ignore[arg-type]
        )

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, limit: int) -> BlobInfo:
        check_key(key)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        intake = Intake(chunks, self._part_bytes, limit)
        blocks = aiter(intake)
        first = await anext(blocks, b"")
        try:
            if len(first) < self._part_bytes:
                await obstore.put_async(self._store, key, first, use_multipart=False)
            else:
                await self._put_parts(key, first, blocks)
        except (BaseError, FileNotFoundError) as error:
            raise _failure(error) from error  # what is not found by a put is the bucket
        return BlobInfo(key, intake.size, intake.sha256)

    async def _put_parts(self, key: str, first: bytes, rest: AsyncIterator[bytes]) -> None:
        """The upload runs beside the stream, so that whatever ends the stream can make the upload abort itself:
        cancelling it would leave its parts in the bucket."""
        ready: asyncio.Queue[bytes | _Abandoned | None] = asyncio.Queue(1)

        async def parts() -> AsyncIterator[bytes]:
            while True:
                part = await ready.get()
                if isinstance(part, _Abandoned):
                    raise part
                if part is None:
                    return
                yield part

        upload = asyncio.ensure_future(
            obstore.put_async(
                self._store, key, parts(), chunk_size=self._part_bytes, max_concurrency=_PARTS_AT_ONCE
            )
        )
        try:
            await _hand_over(ready, first, upload)
            async for block in rest:
                await _hand_over(ready, block, upload)
            await _hand_over(ready, None, upload)
            await asyncio.shield(upload)
        except BaseException:
            while not ready.empty():
                ready.get_nowait()
            ready.put_nowait(_Abandoned())
            await asyncio.wait({upload})
            upload.cancelled() or upload.exception()  # seen: the cause is what we raise
            raise

    async def read(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        check_key(key)
        check_range(start, length)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        if (start or length is not None) and (length == 0 or start >= await self._head(key)):
            if length == 0:
                await self._head(key)
            return  # S3 refuses an empty range
        try:
            found = await obstore.get_async(self._store, key, options=_options(start, length))
            async for block in found.stream(_READ):
                yield bytes(block)
        except FileNotFoundError:
            raise BlobMissing(key) from None
        except BaseError as error:
            raise _failure(error) from error

    async def size(self, key: str) -> int:
        check_key(key)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        return await self._head(key)

    async def _head(self, key: str) -> int:
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            raise BlobMissing(key) from None
        except BaseError as error:
            raise _failure(error) from error

    async def delete(self, key: str) -> None:
        check_key(key)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise _failure(error) from error

    async def close(self) -> None:
        """Connections close with the object."""


async def _hand_over(
    ready: asyncio.Queue[bytes | _Abandoned | None],
    part: bytes | None,
    upload: asyncio.Future[obstore.PutResult],
) -> None:
    """Give the upload its next part, or raise what ended it."""
    handing = asyncio.ensure_future(ready.put(part))
    try:
        both: set[asyncio.Future[Any]] = {handing, upload}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if upload.done():
            upload.result()
    finally:
        handing.cancel()


def _options(start: int, length: int | None) -> obstore.GetOptions:
    if length is not None:
        return {"range": (start, start + length)}
    return {"range": {"offset": start}} if start else {}


def _failure(error: Exception) -> PortFailure:
    text = str(error)
    if "TimedOut" in text or "timed out" in text:
        return PortFailure("blobs", Mode.TIMEOUT, "s3")
    if "error sending request" in text:
        return PortFailure("blobs", Mode.UNAVAILABLE, "connect")
    return PortFailure("blobs", Mode.ERROR, "s3")
