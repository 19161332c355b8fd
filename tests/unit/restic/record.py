"""Record what real restic binaries print, as test data for the parsers.

    python tests/unit/restic/record.py FOLDER_WITH_BINARIES

For each binary `restic-X.Y.Z` in the folder, every scenario below is run in a scratch folder and
kept in recorded/X.Y.Z/SCENARIO.json: the verb and flags, the exit code, the lines of both streams.
The scratch folder is written as /room, so that recordings of two machines are alike.
`disk-full` (a small tmpfs) and `forget-not-removed` (a file that cannot be removed) need root and
keep their old recordings otherwise.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"
PASSWORD = "correct horse"


class Room:
    """A scratch folder with sources and repositories for one binary."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.version = binary.name.removeprefix("restic-")
        self.kept = RECORDED / self.version
        self.kept.mkdir(parents=True, exist_ok=True)
        source = folder / "source" / "wards"
        source.mkdir(parents=True)
        for ward in range(3):
            (source / f"ward{ward}.txt").write_text(f"ward {ward}\n" * 50)
        (folder / "source" / "big").write_bytes(bytes(range(256)) * 4096)

    def env(self, repository: str, password: str = PASSWORD) -> dict[str, str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RESTIC_REPOSITORY": str(self.folder / repository),
            "RESTIC_PASSWORD": password,
            "RESTIC_PROGRESS_FPS": "1",
        }
        if repository == "second":
            environment["RESTIC_FROM_REPOSITORY"] = str(self.folder / "repo")
            environment["RESTIC_FROM_PASSWORD"] = PASSWORD
        return environment

    def run(self, argv: list[str], repository: str = "repo", **more: str) -> dict[str, object]:
        done = subprocess.run(
            [self.binary, *argv],
            env=self.env(repository, **more),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return self.recording(argv, done.returncode, done.stdout, done.stderr)

    def recording(self, argv: list[str], code: int, out: str, err: str) -> dict[str, object]:
        def lines(text: str) -> list[str]:
            return text.replace(str(self.folder), "/room").splitlines()

        return {
            "argv": [a.replace(str(self.folder), "/room") for a in argv],
            "exit_code": code,
            "stdout": lines(out),
            "stderr": lines(err),
        }

    def keep(self, scenario: str, recording: dict[str, object]) -> None:
        text = json.dumps(recording, indent=1, ensure_ascii=False)
        (self.kept / f"{scenario}.json").write_text(text + "\n")

    def record(
        self, scenario: str, argv: list[str], repository: str = "repo", **more: str
    ) -> dict[str, object]:
        recording = self.run(argv, repository, **more)
        self.keep(scenario, recording)
        return recording

    def interrupted(self) -> None:
        """A backup from standard input that never ends, interrupted once it is at work.

        Versions since 0.17 do not end before their input does.
        """
        argv = ["backup", "--json", "--no-cache", "--stdin", "--stdin-filename", "dump"]
        with subprocess.Popen(
            [self.binary, *argv],
            env=self.env("repo"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            first = child.stdout.readline()
            child.send_signal(signal.SIGINT)
            while any((self.folder / "repo" / "locks").iterdir()):
                time.sleep(0.01)
            out, err = child.communicate()
        self.keep("interrupted", self.recording(argv, child.returncode, first + out, err))


def good(room: Room) -> None:
    source = str(room.folder / "source")
    room.record("version", ["version", "--json"])
    room.record("init", ["init", "--json", "--repository-version", "2"])
    room.record("init-again", ["init", "--json", "--repository-version", "2"])
    room.record("snapshots-none", ["snapshots", "--json", "--no-cache"])
    flags = ["--json", "--no-cache", "--host", "ehr", "--tag", "drorch"]
    room.record("backup", ["backup", *flags, source])
    room.record("backup-unchanged", ["backup", *flags, source])
    # /proc/self/mem is there and fails on the first read, for root too
    room.record("backup-partial", ["backup", *flags, source, "/proc/self/mem"])
    room.record("backup-source-gone", ["backup", *flags, source, f"{source}-gone"])
    room.record("backup-all-sources-gone", ["backup", *flags, f"{source}-gone"])
    room.record("snapshots", ["snapshots", "--json", "--no-cache"])
    room.record("ls", ["ls", "--json", "--no-cache", "latest"])
    room.record("stats", ["stats", "--json", "--no-cache", "--mode", "raw-data"])
    room.record("stats-restore-size", ["stats", "--json", "--no-cache", "latest"])
    room.record("cat-config", ["cat", "config", "--no-cache"])
    room.record("key-list", ["key", "list", "--json", "--no-cache"])
    room.record("check", ["check", "--json"])
    room.record("check-text", ["check", "--read-data"])
    target = ["--target", str(room.folder / "out")]
    room.record("restore", ["restore", "--json", "--no-cache", "latest", *target])
    room.record(
        "restore-unknown-snapshot", ["restore", "--json", "--no-cache", "00c0ffee", *target]
    )
    room.record("find", ["find", "--json", "--no-cache", "ward1*"])


def second_region(room: Room) -> None:
    argv = ["init", "--json", "--repository-version", "2", "--copy-chunker-params"]
    room.record("init-from", argv, "second")
    room.record("copy", ["copy", "--no-cache"], "second")
    room.record("copy-again", ["copy", "--no-cache"], "second")
    room.record("snapshots-copied", ["snapshots", "--json", "--no-cache"], "second")


def forgetting(room: Room) -> None:
    """In a repository of its own: what is damaged later must still be there."""
    room.run(["init"], "third")
    for turn in range(3):
        (room.folder / "turn").write_bytes(os.urandom(100_000))
        room.run(["backup", "--no-cache", str(room.folder / "turn"), "--tag", str(turn)], "third")
    listed = room.run(["snapshots", "--json", "--no-cache"], "third")
    ids = [s["id"] for s in json.loads(listed["stdout"][0])]
    argv = ["forget", "--json", "--no-cache", *ids[:2], "00c0ffee"]
    room.record("forget", argv, "third")
    room.record("prune", ["prune", "--no-cache", "--max-unused", "0"], "third")
    room.record("prune-nothing", ["prune", "--no-cache", "--max-unused", "0"], "third")
    kept = room.folder / "third" / "snapshots" / ids[2]
    if subprocess.run(
        ["chattr", "+i", str(kept)], check=False, stderr=subprocess.DEVNULL
    ).returncode:
        return
    try:
        room.record("forget-not-removed", ["forget", "--json", "--no-cache", ids[2]], "third")
    finally:
        subprocess.run(["chattr", "-i", str(kept)], check=True)


def refused(room: Room) -> None:
    room.record("wrong-password", ["snapshots", "--json", "--no-cache"], password="wrong")
    room.record("no-repository", ["snapshots", "--json", "--no-cache"], "nowhere")
    room.record("unknown-flag", ["snapshots", "--json", "--no-such-flag"])
    argv = ["backup", "--json", "--no-cache", "--stdin", "--stdin-filename", "dump"]
    with subprocess.Popen(
        [room.binary, *argv],
        env=room.env("repo"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        while not any((room.folder / "repo" / "locks").iterdir()):
            time.sleep(0.01)
        room.record("locked", ["check", "--json"])
        room.record("list-locks", ["list", "locks", "--no-lock", "--no-cache"])
        lock = next((room.folder / "repo" / "locks").iterdir()).name
        room.record("cat-lock", ["cat", "lock", lock, "--no-lock", "--no-cache"])
        child.kill()
    room.record("unlock", ["unlock", "--json"])
    room.record("unlock-nothing", ["unlock", "--json"])
    room.interrupted()


def damaged(room: Room) -> None:
    packs = sorted((room.folder / "repo" / "data").glob("*/*"), key=lambda p: p.stat().st_size)
    packs[-1].chmod(0o600)
    content = bytearray(packs[-1].read_bytes())
    content[100] ^= 1
    packs[-1].write_bytes(content)
    target = ["--target", str(room.folder / "out2")]
    room.record("check-flipped-structure-only", ["check", "--json"])
    room.record("check-flipped", ["check", "--json", "--read-data"])
    room.record("check-flipped-text", ["check", "--read-data"])
    packs[-1].unlink()
    room.record("check-missing-pack", ["check", "--json"])
    room.record("check-missing-pack-text", ["check"])
    room.record("restore-missing-pack", ["restore", "--json", "--no-cache", "latest", *target])
    packs[0].unlink()
    room.record("restore-missing-tree", ["restore", "--json", "--no-cache", "latest", *target])


def disk_full(room: Room) -> None:
    small = room.folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "drorch-record", str(small)]
    if subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
        return
    try:
        argv = ["restore", "--json", "--no-cache", "latest", "--target", str(small)]
        room.record("restore-disk-full", argv)
        env = {**room.env("repo"), "TMPDIR": str(small)}
        argv = ["backup", "--json", "--no-cache", str(room.folder / "out")]
        (room.folder / "out" / "more").write_bytes(os.urandom(2_000_000))
        done = subprocess.run(
            [room.binary, *argv], env=env, capture_output=True, text=True, check=False
        )
        kept = room.recording(argv, done.returncode, done.stdout, done.stderr)
        room.keep("backup-disk-full", kept)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def main(binaries: Path) -> None:
    for binary in sorted(binaries.glob("restic-*")):
        folder = Path(tempfile.mkdtemp(prefix="drorch-record-"))
        try:
            room = Room(binary, folder)
            for scenes in (good, second_region, forgetting, disk_full, refused, damaged):
                scenes(room)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
