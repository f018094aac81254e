"""How payloads leave a connection: as text, or through one compressor that lives as long as the connection."""

from __future__ import annotations

from collections.abc import Callable

import zstandard
from isal import isal_zlib

Encoder = Callable[[str], bytes]
ZLIB_STREAM = "zlib-stream"
ZSTD_STREAM = "zstd-stream"
_WINDOW_LOG = 15


def encoder(name: str) -> Encoder | None:
    """None for plain text; unknown names are plain text too."""
    if name == ZLIB_STREAM:
        return _zlib()
    if name == ZSTD_STREAM:
        return _zstd()
    return None


def _zlib() -> Encoder:
    stream = isal_zlib.compressobj(level=1, wbits=15)

    def encode(text: str) -> bytes:
        return stream.compress(text.encode()) + stream.flush(isal_zlib.Z_SYNC_FLUSH)

    return encode


def _zstd() -> Encoder:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=_WINDOW_LOG)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()

    def encode(text: str) -> bytes:
        return stream.compress(text.encode()) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    return encode
