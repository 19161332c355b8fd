"""Chance that repeats itself: the same seed and the same name give the same draws, for ever."""

import random


def chance(seed: int, *name: object) -> random.Random:
    """Draws of their own for each name, so that the order of making things does not matter."""
    text = "/".join(str(part) for part in (seed, *name))
    return random.Random(text)  # noqa: S311 - invented patients, no secrets


def hex_word(draws: random.Random, digits: int) -> str:
    """So many hexadecimal digits."""
    return f"{draws.getrandbits(4 * digits):0{digits}x}"
