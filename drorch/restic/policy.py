"""`keep` as the flags of `restic forget`: what somebody without drorch would type."""

from datetime import timedelta

from drorch.core.settings import Keep

_COUNTS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
_HOUR = timedelta(hours=1)


def forget_flags(keep: Keep) -> tuple[str, ...]:
    """The flags with which restic decides alike, all snapshots taken together; empty if all stay.

    restic counts `within` in whole hours: a part of one is rounded up.
    """
    counts = {name: getattr(keep, name) for name in _COUNTS}
    flags = [f"--keep-{name}={count}" for name, count in counts.items() if count]
    if keep.within:
        days, rest = keep.within.days, keep.within - timedelta(days=keep.within.days)
        hours = -(-rest // _HOUR)
        told = (f"{days}d" if days else "") + (f"{hours}h" if hours else "")
        flags.append(f"--keep-within={told}")
    return ("--group-by=", *flags) if flags else ()
