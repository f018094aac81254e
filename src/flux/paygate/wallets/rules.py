"""What a login message must say to be let in here, in the order of the contract. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flux.kernel.store import iso
from flux.paygate.faults import INVALID_SIGNATURE, SIGNATURE_EXPIRED
from flux.paygate.signing.login import Login


@dataclass(frozen=True, slots=True)
class Places:
    """The origins (`https://gateway.example`) logins may be for."""

    origins: tuple[str, ...]

    def check(self, login: Login, chain_ids: set[int]) -> None:
        """Domain, URI and chain are ours. Raises INVALID_SIGNATURE: the wallet signed for somebody else."""
        if login.domain not in {urlsplit(origin).netloc for origin in self.origins}:
            raise INVALID_SIGNATURE(reason="domain_mismatch")
        uri = urlsplit(login.uri)
        if f"{uri.scheme}://{uri.netloc}" not in self.origins:
            raise INVALID_SIGNATURE(reason="uri_mismatch")
        if login.chain_id not in chain_ids:
            raise INVALID_SIGNATURE(reason="chain_not_supported")


def check_times(login: Login, now: int, skew_ms: int) -> None:
    """Issued about now, not over, begun. Raises SIGNATURE_EXPIRED."""
    detail = {"serverTime": now // 1000}
    if login.issued_at < now - skew_ms or (login.expires_at is not None and login.expires_at <= now):
        raise SIGNATURE_EXPIRED(reason="too_old", detail=detail)
    if login.issued_at > now + skew_ms or (login.not_before is not None and login.not_before > now):
        raise SIGNATURE_EXPIRED(reason="in_future", detail={**detail, "issuedAt": iso(login.issued_at)})


def unknown_nonce(now: int) -> Exception:
    return SIGNATURE_EXPIRED(reason="unknown_nonce", detail={"serverTime": now // 1000})
