"""What the client knows about each plane: where it is mounted, how it refuses, what of that is transient."""

from __future__ import annotations

from flux.client.errors import (
    Answer,
    AnsweredError,
    CommunityError,
    ContentError,
    FluxError,
    PaygateError,
    Refusal,
    TargetAnswer,
    Unreachable,
    UnreadableAnswer,
)


class Dialect:
    """`mount` is the plane's path below the origin; `transient_statuses` is its reference's retry section."""

    def __init__(
        self, name: str, mount: str, errors: type[Refusal], transient_statuses: frozenset[int]
    ) -> None:
        self.name = name
        self.mount = mount
        self.errors = errors
        self.transient_statuses = transient_statuses

    def read(self, answer: Answer, path: str) -> AnsweredError:
        """The exception for an answer of 400 or more to a request for `path` (below the plane's base)."""
        if answer.method == "HEAD" and not answer.body:
            return self.errors.class_for(answer.headers.get("x-gateway-error", ""), answer.status)(answer)
        code = self.errors.code_in(self.errors.body_of(answer))
        if not code:
            return UnreadableAnswer(answer)
        return self.errors.class_for(code, answer.status)(answer)

    def transient(self, error: FluxError) -> bool:
        """Whether the same request may well succeed a little later, by the plane's reference."""
        if isinstance(error, Unreachable):
            return True
        return isinstance(error, AnsweredError) and error.status in self.transient_statuses

    def untouched(self, error: FluxError) -> bool:
        """Whether the server has certainly not begun the work, so that repeating even a POST repeats nothing.

        True for a declared 429 or 503: the planes answer those before they begin. Any other failure may have
        come after the work, and a 503 that is not in the plane's words may be a proxy's.
        """
        return isinstance(error, Refusal) and error.declared and error.status in (429, 503)


class PaygateDialect(Dialect):
    """Adds the relay: the target's own answers, and what a failed relay did with the payment."""

    def read(self, answer: Answer, path: str) -> AnsweredError:
        if relayed(path) and "x-gateway-error" not in answer.headers:
            return TargetAnswer(answer)
        return super().read(answer, path)

    def transient(self, error: FluxError) -> bool:
        if not isinstance(error, PaygateError):
            # A seller's own 5xx is the seller's business: paying attention to it is left to the caller.
            return not isinstance(error, TargetAnswer) and super().transient(error)
        if unconfirmed(error):
            return True
        if error.retryable is False or error.details.get("paymentStatus", "released") != "released":
            return False  # the payment is spent: the same proof would only be refused
        return error.number in self.transient_statuses and super().transient(error)

    def untouched(self, error: FluxError) -> bool:
        if not isinstance(error, PaygateError):
            return False
        return unconfirmed(error) or before_the_target(error) or super().untouched(error)


def relayed(path: str) -> bool:
    """Whether a paygate path is a paid call, whose answer may be the target's. A base URL may leave out `api/v2`."""
    return path.lstrip("/").removeprefix("api/v2/").startswith(("gateway/", "x402/"))


def unconfirmed(error: FluxError) -> bool:
    """A payment that is on its way: the one refusal below 429 that cures itself, and says so."""
    return (
        isinstance(error, PaygateError) and error.code == "PAYMENT_NOT_CONFIRMED" and error.retryable is True
    )


def before_the_target(error: PaygateError) -> bool:
    """A relay that failed before the first byte reached the target; the payment is released."""
    if error.code == "GATEWAY_ERROR":
        return error.details.get("reason") in ("dns", "connect", "tls")
    return error.code == "GATEWAY_TIMEOUT" and error.details.get("phase") == "connect"


_SERVER_ERRORS = frozenset(range(500, 600))

COMMUNITY = Dialect("community", "/community/v1", CommunityError, frozenset({429, 500, 502, 503, 504}))
CONTENT = Dialect("content", "/content", ContentError, _SERVER_ERRORS | {408, 429})
PAYGATE = PaygateDialect("paygate", "/paygate/api/v2", PaygateError, _SERVER_ERRORS | {429})
