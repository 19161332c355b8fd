"""How long to wait before the next attempt: tenacity's exponential wait, spread by our randomness."""

import random
from datetime import timedelta

from drorch.core.runbook import Retry


def retry_delay(retry: Retry, made: int, randomness: random.Random) -> timedelta:
    """The wait after `made` attempts (at least 1) came to nothing.

    `delay * backoff ** (made - 1)`, at most `limit`, spread evenly by plus or minus `jitter`.
    """
    from tenacity import RetryCallState, Retrying, wait_exponential

    wait = wait_exponential(
        multiplier=retry.delay.total_seconds(),
        exp_base=retry.backoff,
        max=retry.limit.total_seconds(),
    )
    call = RetryCallState(Retrying(), None, (), {})
    call.attempt_number = max(1, made)
    spread = 1 + retry.jitter * randomness.uniform(-1, 1)
    return timedelta(seconds=wait(call) * spread)
