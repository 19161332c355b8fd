"""restic as a person types it where drorch is not there: the same repositories, the same results.

For every restic from 0.14 on.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from shlex import join, quote

from drorch.core.byhand import Opening
from drorch.core.model import Dataset, Region
from drorch.restic.landing import common_root
from drorch.restic.repository import repository_url


def opening(dataset: Dataset, region: Region, password: str) -> Opening:
    """The environment that opens a repository; `password` is the name of its secret."""
    asked = [("RESTIC_PASSWORD", password)]
    lines = [
        f"export RESTIC_REPOSITORY={quote(repository_url(region, dataset.name))}",
        f"export AWS_DEFAULT_REGION={quote(region.location)}",
    ]
    if region.access_key and region.secret_key:
        asked = [
            ("AWS_ACCESS_KEY_ID", region.access_key),
            ("AWS_SECRET_ACCESS_KEY", region.secret_key),
            *asked,
        ]
    elif region.profile:
        lines.append(f"export AWS_PROFILE={quote(region.profile)}")
    lines += [asking(variable, name) for variable, name in asked]
    lines.append(f"export {' '.join(variable for variable, _ in asked)}")
    lines.append("restic snapshots --latest 1")
    return Opening(dataset.name, region.name, tuple(lines), tuple(name for _, name in asked))


def asking(variable: str, secret: str) -> str:
    """A line that asks for a secret, so that it stands neither on a screen nor in a history."""
    return f"read -rs {variable}   # secret {secret}"


def restoring(
    dataset: Dataset, target: str, snapshot: str = "latest", include: Sequence[str] = ()
) -> tuple[str, ...]:
    """Bring a snapshot back into `target`, which must not be there yet, as a step of drorch does.

    restic repeats the source's whole path below its target; the last line takes that away.
    """
    if dataset.dump is not None:
        name = dataset.dump.filename
        file = str(PurePosixPath(target) / name)
        return (
            join(["mkdir", "-p", target]),
            f"{join(['restic', 'dump', snapshot, f'/{name}'])} > {quote(file)}",
        )
    staged = f"{target}.part"
    wanted = [word for path in include for word in ("--include", path)]
    root = common_root([PurePosixPath(path) for path in dataset.paths or (Path("/"),)])
    found = f"{staged}{root}".rstrip("/")
    tidy = [join(["rm", "-r", staged])] if found != staged else []
    return (
        join(["restic", "restore", snapshot, "--target", staged, *wanted]),
        join(["mv", "-T", found, target]),
        *tidy,
    )


def finding(target: str, snapshot: str = "latest") -> dict[str, str]:
    """Lines that show what a restore gives: what the snapshot holds, in the words of `restore`."""
    holds = join(["restic", "ls", "--long", snapshot])
    return {
        "files": f"{holds} | grep -c ^-",
        "bytes": f"{holds} | awk '/^-/ {{n += $4}} END {{print n + 0}}'",
        "path": join(["realpath", target]),
        "snapshot": "restic snapshots --latest 1",
        "snapshot_at": "restic snapshots --latest 1",
    }


def newest() -> str:
    """Show the newest snapshot and when it was taken."""
    return "restic snapshots --latest 1"


def checking(*, read_data: bool) -> str:
    """Look whether the repository is whole."""
    return "restic check --read-data" if read_data else "restic check"
