"""Settings of the community's images and files: `FLUX_COMMUNITY__MEDIA__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

MIB = 1_048_576


class Media(Struct, frozen=True, kw_only=True):
    pixels: Annotated[
        int, Meta(ge=1, description="Pixels an image may have to be opened; asked before it is decoded.")
    ] = 50_000_000
    frames: Annotated[int, Meta(ge=1, description="Frames of an animation that a smaller version keeps.")] = (
        250
    )
    animated_pixels: Annotated[
        int,
        Meta(ge=1, description="Pixels of an animation's frames together; a smaller version ends there."),
    ] = 100_000_000
    source_bytes: Annotated[
        int, Meta(ge=1024, description="Bytes a file may have to be shown in other sizes and formats.")
    ] = 25 * MIB
    workers: Annotated[
        int, Meta(ge=1, le=32, description="Processes that open images; they start when first needed.")
    ] = 1
    waiting: Annotated[
        int, Meta(ge=1, description="Images waiting for a worker; one more is answered with 503.")
    ] = 64
    seconds: Annotated[float, Meta(gt=0, description="Longest work on one image.")] = 10.0
    idle_seconds: Annotated[float, Meta(gt=0, description="A worker without work ends after this long.")] = (
        60.0
    )
    memory_bytes: Annotated[int, Meta(ge=64 * MIB, description="Address space of one worker.")] = 1024 * MIB
    cache_bytes: Annotated[
        int, Meta(ge=0, description="Memory for images in other sizes and formats that were made before.")
    ] = 32 * MIB
    blocked_hashes: Annotated[
        list[str], Meta(description="SHA-256 (lowercase hex) of files refused anywhere.")
    ] = field(default_factory=list)
    archive_ratio: Annotated[
        int,
        Meta(ge=1, description="A zip file that unpacks to more than this many times its size is refused."),
    ] = 1000
    orphan_seconds: Annotated[
        int, Meta(ge=60, description="Age at which a file that nothing points at is deleted.")
    ] = 86_400
