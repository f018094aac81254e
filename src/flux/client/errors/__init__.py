"""The exceptions: one class for every row of the three error references.

    from flux.client.errors import community, content, paygate

    try: …
    except community.UnknownChannel: …       one row
    except community.CommunityNotFound: …    every 404 of the plane, unknown codes too
    except FluxError: …                      anything this client raises about a request

base.py           FluxError, Unreachable, UnreadableAnswer, TargetAnswer, Refusal
planes.py         CommunityError, ContentError, PaygateError: reading the envelopes
community.py, content.py, paygate.py     written by `python -m flux.client.generate`; never by hand
"""

from flux.client.errors import community, content, paygate
from flux.client.errors.base import (
    Answer,
    AnsweredError,
    FieldProblem,
    FluxError,
    NoAnswerInTime,
    Refusal,
    RetryAdvice,
    TargetAnswer,
    Unreachable,
    UnreadableAnswer,
)
from flux.client.errors.planes import CommunityError, ContentError, PaygateError

__all__ = [
    "Answer",
    "AnsweredError",
    "CommunityError",
    "ContentError",
    "FieldProblem",
    "FluxError",
    "NoAnswerInTime",
    "PaygateError",
    "Refusal",
    "RetryAdvice",
    "TargetAnswer",
    "Unreachable",
    "UnreadableAnswer",
    "community",
    "content",
    "paygate",
]
