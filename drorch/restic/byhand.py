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

#: What stands where nobody knows yet which dataset or region it will be.
ENDPOINT, BUCKET, PASSWORD = "{endpoint}", "{bucket}", "{password}"
_KEYS = ("{access-key}", "{secret-key}")


def opening(
    dataset: str, region: Region | None, password: str = PASSWORD, called: str = ""
) -> Opening:
    """The environment that opens a repository; `password` is the name of its secret.

    A region that is not known yet is `called` what stands in its place; what hangs on it is a blank.
    """
    keys = _KEYS if region is None else (region.access_key or "", region.secret_key or "")
    asked = [("RESTIC_PASSWORD", password)]
    lines = [f"export RESTIC_REPOSITORY={quote(_url(dataset, region))}"]
    if region is not None:
        lines.append(f"export AWS_DEFAULT_REGION={quote(region.location)}")
    if all(keys):
        asked = [*zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), keys, strict=True), *asked]
    elif region is not None and region.profile:
        lines.append(f"export AWS_PROFILE={quote(region.profile)}")
    lines += [asking(variable, name) for variable, name in asked]
    lines.append(f"export {' '.join(variable for variable, _ in asked)}")
    lines.append(newest())
    secrets = tuple(name for _, name in asked if not name.startswith("{"))
    return Opening(dataset, region.name if region else called, tuple(lines), secrets)


def _url(dataset: str, region: Region | None) -> str:
    if region is not None:
        return repository_url(region, f"datasets/{dataset}")
    return f"s3:{ENDPOINT}/{BUCKET}/datasets/{dataset}"


def asking(variable: str, secret: str) -> str:
    """A line that asks for a secret, so that it stands neither on a screen nor in a history."""
    return f"read -rs {variable}   # secret {secret}"


def restoring(
    dataset: Dataset | None, target: str, snapshot: str = "latest", include: Sequence[str] = ()
) -> tuple[str, ...]:
    """Bring a snapshot back into `target`, which must not be there yet, as a step of drorch does.

    restic repeats the source's whole path below its target; the last lines take that away, if it is
    known which dataset it is.
    """
    if dataset is None:
        return (join(["restic", "restore", snapshot, "--target", target, *_included(include)]),)
    if dataset.dump is not None:
        name = dataset.dump.filename
        file = str(PurePosixPath(target) / name)
        return (
            join(["mkdir", "-p", target]),
            f"{join(['restic', 'dump', snapshot, f'/{name}'])} > {quote(file)}",
        )
    staged = f"{target}.part"
    root = common_root([PurePosixPath(path) for path in dataset.paths or (Path("/"),)])
    found = f"{staged}{root}".rstrip("/")
    tidy = [join(["rm", "-r", staged])] if found != staged else []
    return (
        join(["restic", "restore", snapshot, "--target", staged, *_included(include)]),
        join(["mv", "-T", found, target]),
        *tidy,
    )


def _included(paths: Sequence[str]) -> list[str]:
    return [word for path in paths for word in ("--include", path)]


def finding(target: str, snapshot: str = "latest", include: Sequence[str] = ()) -> dict[str, str]:
    """Lines that show what a restore gives: what the snapshot holds of it, in the words of `restore`."""
    part = ["--recursive", snapshot, *include] if include else [snapshot]
    holds = join(["restic", "ls", "--long", *part])
    which = newest() if snapshot == "latest" else join(["restic", "snapshots", snapshot])
    return {
        "files": f"{holds} | grep -c ^-",
        "bytes": f"{holds} | awk '/^-/ {{n += $4}} END {{print n + 0}}'",
        "path": join(["realpath", target]),
        "snapshot": which,
        "snapshot_at": which,
    }


def newest() -> str:
    """Show the newest snapshot and when it was taken."""
    return "restic snapshots --latest 1"


def checking(*, read_data: bool) -> str:
    """Look whether the repository is whole."""
    return "restic check --read-data" if read_data else "restic check"
