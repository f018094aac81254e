"""Where large bytes lie."""

from __future__ import annotations

from typing import Annotated

import msgspec


class BlobSettings(msgspec.Struct, frozen=True, kw_only=True):
    directory: Annotated[
        str, msgspec.Meta(description="Directory for blobs. Empty: `blobs` in the data directory.")
    ] = ""
    bucket: Annotated[
        str,
        msgspec.Meta(description="Name of an S3 bucket; when given, blobs lie there and not in a directory."),
    ] = ""
    prefix: Annotated[
        str, msgspec.Meta(description="Put in front of every key in the bucket, such as `flux/`.")
    ] = ""
    endpoint: Annotated[
        str, msgspec.Meta(description="URL of an S3-compatible service. Empty: Amazon's own for the region.")
    ] = ""
    region: Annotated[str, msgspec.Meta(description="Region of the bucket.")] = "us-east-1"
    access_key_id: Annotated[
        str,
        msgspec.Meta(
            description="S3 access key. Empty: taken from the usual AWS_* environment or the machine's role."
        ),
    ] = ""
    secret_access_key: Annotated[str, msgspec.Meta(description="The secret of the S3 access key.")] = ""
    virtual_hosts: Annotated[
        bool,
        msgspec.Meta(
            description="Address the bucket as a host name (`bucket.host`) instead of a path (`host/bucket`)."
        ),
    ] = False
    timeout_seconds: Annotated[
        float, msgspec.Meta(gt=0, description="Longest time for one request to S3, its body included.")
    ] = 30.0
    retries: Annotated[
        int,
        msgspec.Meta(
            ge=0, description="How often a failed request to S3 is tried again before the caller hears of it."
        ),
    ] = 3
    part_bytes: Annotated[
        int,
        msgspec.Meta(
            ge=5 * 1024 * 1024,
            description="Size of the parts in which larger blobs are sent to S3; a put holds up to four of them in memory.",
        ),
    ] = 8 * 1024 * 1024
