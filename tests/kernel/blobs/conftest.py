"""A directory and a bucket: the bucket behind a real HTTP server speaking S3 on loopback."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flux.kernel.blobs import DirectoryBlobs, open_blobs
from flux.kernel.blobs.s3 import S3Blobs
from flux.kernel.faults.ports import Ports
from flux.settings.blobs import BlobSettings

PART = 5 * 1024 * 1024


@dataclass
class Bucket:
    """`client` looks at the server from outside, with another implementation of the protocol."""

    settings: BlobSettings
    client: Any

    def keys(self) -> list[str]:
        listing = self.client.list_objects_v2(Bucket="flux-blobs").get("Contents", [])
        return [entry["Key"] for entry in listing]

    def open_uploads(self) -> list[str]:
        listing = self.client.list_multipart_uploads(Bucket="flux-blobs").get("Uploads", [])
        return [entry["Key"] for entry in listing]

    def empty(self) -> None:
        for key in self.keys():
            self.client.delete_object(Bucket="flux-blobs", Key=key)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Bucket]:
    import boto3  # half a second each, and `make check` needs neither
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="flux-blobs")
    settings = BlobSettings(
        bucket="flux-blobs",
        prefix="flux/",
        endpoint=url,
        access_key_id="id",
        secret_access_key="secret",
        part_bytes=PART,
        retries=0,
    )
    yield Bucket(settings, client)
    server.stop()


@pytest.fixture
def bucket(s3_server: Bucket) -> Bucket:
    s3_server.empty()
    return s3_server


@pytest.fixture(params=["directory", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DirectoryBlobs | S3Blobs]:
    settings = BlobSettings()
    if request.param == "s3":
        settings = request.getfixturevalue("bucket").settings
    made = open_blobs(settings, tmp_path, Ports(enabled=True, deadline_seconds=0.05))
    assert isinstance(made, (DirectoryBlobs, S3Blobs))
    yield made
    await made.close()
