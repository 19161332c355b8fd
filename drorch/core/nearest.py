"""The hint "did you mean …?" for a name that nobody knows."""

from collections.abc import Iterable

_LISTED = 12


def did_you_mean(word: str, known: Iterable[str], what: str = "known") -> str:
    """A hint that names the nearest known word, or else what there is."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return f"{what}: none"
    listed = ", ".join(names[:_LISTED])
    return f"{what}: {listed}{', …' if len(names) > _LISTED else ''}"
