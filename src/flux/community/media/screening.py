"""What the instance does not carry: files by their hash, images by how explicit they are judged.

Two harmless samples take the places of real ones in the sandbox: a file of exactly the bytes
`FLUX-BLOCKED-CONTENT-SAMPLE\\n`, and any PNG with the text `flux:explicit` = a probability.
"""

from __future__ import annotations

from hashlib import sha256

from flux.community import faults
from flux.community.media.probe import png_text
from flux.settings.community_media import Media

SAMPLE = b"FLUX-BLOCKED-CONTENT-SAMPLE\n"
MARK = b"flux:explicit"
TOO_EXPLICIT = 0.8


class Screening:
    def __init__(self, settings: Media, *, sandbox: bool) -> None:
        self._blocked = {each.lower() for each in settings.blocked_hashes}
        self._sandbox = sandbox
        if sandbox:
            self._blocked.add(sha256(SAMPLE).hexdigest())

    def demand_allowed(self, digest: str) -> None:
        """`digest` is the lowercase SHA-256 of the whole file. Raises CONTENT_BLOCKED."""
        if digest in self._blocked:
            raise faults.CONTENT_BLOCKED()

    def explicitness(self, head: bytes) -> float:
        """0 to 1; 0 where nobody judges. `head` is the beginning of an image."""
        if not self._sandbox or (text := png_text(head, MARK)) is None:
            return 0.0
        try:
            return min(1.0, max(0.0, float(text)))
        except ValueError:
            return 0.0

    def demand_decent(self, explicitness: float) -> None:
        """Raises EXPLICIT_CONTENT_CANNOT_BE_SENT."""
        if explicitness >= TOO_EXPLICIT:
            shown = {"explicit": explicitness}
            raise faults.EXPLICIT_CONTENT_CANNOT_BE_SENT(probability=explicitness, predictions=shown)
