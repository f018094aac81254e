"""The Python client of Flux, blocking and async.

    from flux.client import Bot, FluxClient
    from flux.client.errors import community

    with FluxClient("http://127.0.0.1:8080", community=Bot("…")) as flux:
        try:
            flux.community.send_message(channel_id, "hello")
        except community.SlowmodeRateLimited as error:
            print(error.retry_after)

Start at sync.py (the clients) and errors/ (one exception class for every row of the error references).
retrying.py says when a request is repeated; dialects.py how the three planes differ. Uses httpx and nothing of
the server, so it can be taken alone; only generate.py, a tool of this repository, looks at the declarations.
"""

try:
    from flux.client.aio import AsyncCommunityClient, AsyncContentClient, AsyncFluxClient, AsyncPaygateClient
    from flux.client.credentials import Admin, Bearer, Bot, SecureKey, Session, SimpleKey
    from flux.client.errors import (
        Answer,
        AnsweredError,
        CommunityError,
        ContentError,
        FieldProblem,
        FluxError,
        NoAnswerInTime,
        PaygateError,
        Refusal,
        TargetAnswer,
        Unreachable,
        UnreadableAnswer,
    )
    from flux.client.exchange import Ask
    from flux.client.paid import PaidAnswer, PaymentProof
    from flux.client.retrying import NO_RETRY, RetryPolicy
    from flux.client.sync import CommunityClient, ContentClient, FluxClient, PaygateClient
except ModuleNotFoundError as missing:
    if missing.name != "httpx":
        raise
    raise ImportError(
        "flux.client needs httpx, which comes with the extra 'client' of this package"
    ) from None

__all__ = [
    "NO_RETRY",
    "Admin",
    "Answer",
    "AnsweredError",
    "Ask",
    "AsyncCommunityClient",
    "AsyncContentClient",
    "AsyncFluxClient",
    "AsyncPaygateClient",
    "Bearer",
    "Bot",
    "CommunityClient",
    "CommunityError",
    "ContentClient",
    "ContentError",
    "FieldProblem",
    "FluxClient",
    "FluxError",
    "NoAnswerInTime",
    "PaidAnswer",
    "PaygateClient",
    "PaygateError",
    "PaymentProof",
    "Refusal",
    "RetryPolicy",
    "SecureKey",
    "Session",
    "SimpleKey",
    "TargetAnswer",
    "Unreachable",
    "UnreadableAnswer",
]
