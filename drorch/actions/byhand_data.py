"""By hand: what restic and the shell do with snapshots, regions and files."""

from pathlib import PurePosixPath

from drorch.actions.byhand_given import Given, join, quote
from drorch.core.byhand import NO_COMMAND, ByHand, Note
from drorch.restic import byhand as restic


def restore(given: Given) -> ByHand:
    """restic, from whichever region is opened, into a place that is not there yet."""
    dataset, snapshot, notes = given.dataset, "latest", [*given.blanks]
    if dataset is None:
        notes.append(Note.WHOLE_PATH)
    elif dataset.dump is None:
        notes.append(Note.MOVED)
    elif given.words("include"):
        notes.append(Note.WHOLE_SNAPSHOT)
    if given.text("at"):
        snapshot = "ID"
        notes.append(Note.AT_A_TIME)
    target = given.text("to")
    lines = restic.restoring(dataset, target, snapshot, given.words("include"))
    finding = restic.finding(target, snapshot, given.words("include"))
    return ByHand(lines, tuple(notes), given.opening(), finding=finding)


def snapshot_age(given: Given) -> ByHand:
    """Restic's list of snapshots."""
    return ByHand((restic.newest(),), (*given.blanks, Note.AGE), given.opening())


def check(given: Given) -> ByHand:
    """Restic's own check."""
    line = restic.checking(read_data=given.text("read_data") == "true")
    return ByHand((line,), given.blanks, given.opening())


def reachable(given: Given) -> ByHand:
    """An HTTP answer of the bucket's address."""
    region = given.configuration.regions.get(given.text("region"))
    place = f"{region.endpoint.rstrip('/')}/{region.bucket}" if region else "{endpoint}/{bucket}"
    words = ["curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}\\n", place]
    notes = (Note.ANSWERS_ONLY,) if region else (Note.PLACES, Note.ANSWERS_ONLY)
    return ByHand((join(words),), notes)


def verify(given: Given) -> ByHand:
    """sha256sum, find and awk; no command for what is compared with nothing."""
    path, manifest = given.text("path"), given.text("manifest")
    lines = []
    if manifest:
        check = f"cd {quote(path)} && sha256sum --check --quiet"
        lines.append(f"({check}) <{quote(manifest)} && echo whole")
    if given.text("digest"):
        lines.append(join(["sha256sum", manifest or path]))
    if given.text("files"):
        lines.append(f"{join(['find', path, '-type', 'f'])} | wc -l")
    if given.text("bytes"):
        sizes = join(["find", path, "-type", "f", "-printf", "%s\\n"])
        lines.append(f"{sizes} | awk '{{n += $1}} END {{print n}}'")
    return ByHand(tuple(lines)) if lines else NO_COMMAND


def write(given: Given) -> ByHand:
    """printf, after the folder is made."""
    path, content = given.text("path"), given.text("content")
    folder = str(PurePosixPath(path).parent)
    made = () if folder in (".", "/") else (join(["mkdir", "-p", folder]),)
    return ByHand((*made, f"printf %s {quote(content)} > {quote(path)}"))


def remove(given: Given) -> ByHand:
    """rm, which asks before it begins."""
    return ByHand((join(["rm", "-rI", "--", given.text("path")]),), (Note.ONLY_OURS,))
