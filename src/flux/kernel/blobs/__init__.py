"""Large bytes under a key: attachments, avatars, exports.

port.py       `Blobs`, `BlobInfo`, `BlobMissing`, `BlobTooLarge`: what rooms are written against
directory.py  files in a directory, each complete or absent
s3.py         an S3 bucket
blocks.py     a stream as even blocks, counted and hashed
keys.py       which keys are keys

Any room may keep blobs under a first segment of its own and records their keys in its tables; who may read one
is the room's to decide, not ours. Start at port.py; `open_blobs` chooses.
"""

from pathlib import Path

from flux.kernel.blobs.directory import DirectoryBlobs
from flux.kernel.blobs.port import BlobInfo, BlobMissing, Blobs, BlobTooLarge
from flux.kernel.faults.ports import Ports
from flux.settings.blobs import BlobSettings


def open_blobs(settings: BlobSettings, data_dir: Path, ports: Ports) -> Blobs:
    """The store the settings ask for."""
    if settings.bucket:
        from flux.kernel.blobs.s3 import S3Blobs

        return S3Blobs(settings, ports)
    return DirectoryBlobs(Path(settings.directory) if settings.directory else data_dir / "blobs", ports)


__all__ = ["BlobInfo", "BlobMissing", "BlobTooLarge", "Blobs", "DirectoryBlobs", "open_blobs"]
