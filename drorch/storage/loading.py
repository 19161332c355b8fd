"""botocore, loaded whole and by one thread.

It costs 0.2 s, so nothing loads it before a region is asked; and regions are asked by many threads at
once. Packages that import themselves in a circle (urllib3) must not be entered by two threads through
two of their modules: Python then breaks the deadlock by an error in one of them.
"""

import threading

_one_at_a_time = threading.Lock()


def load() -> None:
    """Import all of it that anybody here asks for; a moment's look when that is done."""
    with _one_at_a_time:
        import urllib3.exceptions  # noqa: F401
