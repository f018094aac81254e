"""How what must happen later is run."""

from __future__ import annotations

from typing import Annotated

import msgspec


class JobSettings(msgspec.Struct, frozen=True, kw_only=True):
    concurrency: Annotated[
        int, msgspec.Meta(ge=1, description="Jobs that run at the same time in one process.")
    ] = 8
    poll_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="How often a process looks for jobs that another one queued. Its own start at once.",
        ),
    ] = 1.0
    lease_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="After how long without a sign of life another process takes over a job. Running jobs renew it.",
        ),
    ] = 60.0
    max_attempts: Annotated[
        int, msgspec.Meta(ge=1, description="Attempts before a job is left in the table, dead.")
    ] = 12
    backoff_seconds: Annotated[
        float,
        msgspec.Meta(gt=0, description="Pause after the first failure; it doubles with each further one."),
    ] = 2.0
    backoff_max_seconds: Annotated[
        float, msgspec.Meta(gt=0, description="Longest pause between two attempts.")
    ] = 3600.0
    close_seconds: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            description="How long a closing process waits for running jobs before it returns them to the queue.",
        ),
    ] = 10.0
