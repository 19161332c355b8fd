"""Where temporary files go when no usual folder takes any: into memory.

On a root that is read-only, or with disks that are all full, Python finds no such folder, and neither do
restic and what draws: nothing could be looked at.
"""

import os

_MEMORY = "/dev/shm"  # noqa: S108 - named by Linux; each file in it is made new and for us alone


def have_a_temporary_folder() -> None:
    """Name one to this process and its children, where there is no other."""
    if any(_takes_files(os.environ.get(name, "")) for name in ("TMPDIR", "TEMP", "TMP")):
        return
    if _takes_files("/tmp") or _takes_files("/var/tmp"):  # noqa: S108 - nothing is left there
        return
    import tempfile

    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        if _takes_files(_MEMORY):
            os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY


def _takes_files(folder: str) -> bool:
    """Whether a file can be made and written there; no name of it is ever seen."""
    if not folder:
        return False
    try:
        handle = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            return os.write(handle, b"drorch") > 0
        finally:
            os.close(handle)
    except OSError:
        return False
