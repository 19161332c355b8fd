"""The typed commands: which restic is started, with which words and which environment."""

import json
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from drorch.core.errors import ResticError
from drorch.core.model import Region
from drorch.ports import Cancellation
from drorch.restic.landing import Needed
from drorch.restic.process import Attempt, DumpCommand
from drorch.restic.repository import RepositoryAddress, repository_url
from tests.unit.restic.replay import VERSIONS, PlayedRestic

each_version = pytest.mark.parametrize("version", VERSIONS)

PASSWORD = "correct horse battery"
SECRET = "s3cr3t/key+value"
LOCAL = RepositoryAddress("/srv/repo", PASSWORD)
REMOTE = RepositoryAddress(
    "s3:http://127.0.0.1:9101/drorch/datasets/ehr",
    PASSWORD,
    access_key="AKIDEHR",
    secret_key=SECRET,
    location="ca-central-1",
)
HOSTILE = {
    "RESTIC_PASSWORD_COMMAND": "false",
    "RESTIC_FROM_REPOSITORY": "/elsewhere",
    "RESTIC_REPOSITORY_FILE": "/elsewhere",
    "AWS_SESSION_TOKEN": "of-somebody-else",
    "AWS_PROFILE": "toronto",
    "MINIO_ACCESS_KEY": "minio",
    "PGPASSWORD": "of-the-caller",
}


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@each_version
def test_a_backup_is_one_start_once_the_version_is_known(version, tmp_path, source):
    played = PlayedRestic(version, tmp_path)
    restic = played.restic()
    restic.capabilities()
    played.started.clear()
    done = restic.backup(LOCAL, host="ehr", paths=[source])
    assert done.total_files == 4
    assert played.verbs == ["backup"]


def test_secrets_go_into_the_childs_environment_and_nowhere_else(tmp_path, source):
    played = PlayedRestic("0.18.0", tmp_path)
    played.restic(environment=HOSTILE).backup(REMOTE, host="ehr", paths=[source])
    command = played.started[-1]
    assert PASSWORD not in " ".join(command.argv)
    assert SECRET not in " ".join(command.argv)
    assert PASSWORD not in repr(REMOTE)
    assert SECRET not in repr(REMOTE)
    assert command.env["RESTIC_PASSWORD"] == PASSWORD
    assert command.env["AWS_SECRET_ACCESS_KEY"] == SECRET


def test_a_child_gets_nothing_of_the_callers_environment_but_what_it_needs(tmp_path, source):
    played = PlayedRestic("0.18.0", tmp_path)
    played.restic(environment=HOSTILE).backup(REMOTE, host="ehr", paths=[source])
    assert set(played.started[-1].env) == {
        "PATH",
        "HOME",
        "RESTIC_REPOSITORY",
        "RESTIC_PASSWORD",
        "RESTIC_CACHE_DIR",
        "RESTIC_PROGRESS_FPS",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
    }


def test_without_keys_of_its_own_a_region_uses_the_callers_aws_chain(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    chain = RepositoryAddress(REMOTE.url, PASSWORD, profile="quebec")
    played.restic(environment=HOSTILE).snapshots(chain)
    environment = played.started[-1].env
    assert environment["AWS_SESSION_TOKEN"] == "of-somebody-else"
    assert environment["AWS_PROFILE"] == "quebec"
    assert "MINIO_ACCESS_KEY" not in environment


def test_the_dump_command_sees_its_own_environment_and_no_secret(tmp_path):
    played = PlayedRestic("0.14.0", tmp_path)
    seen = {}

    def dump(process):
        seen.update(process.command.env)
        process.print("the data")
        return 0

    played.machine.programs["pg_dump"] = dump
    command = DumpCommand(("pg_dump",), "ehr.dump", {"PGHOST": "db"})
    played.restic().backup(REMOTE, host="ehr", dump=command)
    assert seen == {"PGHOST": "db"}


@each_version
def test_a_failing_dump_fails_the_backup_with_its_own_words(version, tmp_path):
    played = PlayedRestic(version, tmp_path)

    def dump(process):
        process.complain("connection to server failed", "no such database")
        return 4

    played.machine.programs["pg_dump"] = dump
    with pytest.raises(ResticError) as failed:
        played.restic().backup(LOCAL, host="ehr", dump=DumpCommand(("pg_dump",), "ehr.dump"))
    assert failed.value.cause == "dump-failed"
    assert "exited 4" in failed.value.message
    assert "no such database" in failed.value.message


def test_a_dump_command_that_does_not_exist_is_a_failed_dump(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    with pytest.raises(ResticError) as failed:
        played.restic().backup(LOCAL, host="ehr", dump=DumpCommand(("pg_dmp",), "ehr.dump"))
    assert failed.value.cause == "dump-failed"


@each_version
def test_a_missing_source_path_fails_the_backup_before_anything_runs(version, tmp_path, source):
    played = PlayedRestic(version, tmp_path)
    with pytest.raises(ResticError) as failed:
        played.restic().backup(LOCAL, host="ehr", paths=[source, source / "gone"])
    assert failed.value.cause == "source-missing"
    assert str(source / "gone") in failed.value.message
    assert played.started == []


def test_a_source_that_is_a_link_is_refused_for_restic_would_keep_the_link_alone(tmp_path, source):
    (tmp_path / "link").symlink_to(source)
    played = PlayedRestic("0.18.0", tmp_path)
    with pytest.raises(ResticError) as failed:
        played.restic().backup(LOCAL, host="ehr", paths=[tmp_path / "link"])
    assert failed.value.cause == "source-symlink"
    assert str(source) in failed.value.message


@each_version
def test_a_partial_backup_keeps_its_snapshot(version, tmp_path, source):
    played = PlayedRestic(version, tmp_path, {"backup": "backup-partial"})
    done = played.restic().backup(LOCAL, host="ehr", paths=[source])
    assert done.partial
    assert done.snapshot_id
    assert done.unreadable_count == 1


def test_a_bucket_nobody_has_seen_is_never_made_by_restic(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    with pytest.raises(ResticError) as refused:
        played.restic().init(REMOTE)
    assert refused.value.cause == "no-bucket"
    assert played.started == []


@each_version
def test_a_missing_repository_is_an_error_and_never_made_by_the_way(version, tmp_path, source):
    played = PlayedRestic(version, tmp_path, {"backup": "no-repository"})
    with pytest.raises(ResticError) as failed:
        played.restic().backup(REMOTE, host="ehr", paths=[source])
    assert failed.value.cause == "no-repository"
    assert "init" not in played.verbs


@each_version
def test_init_gives_the_whole_id(version, tmp_path):
    played = PlayedRestic(version, tmp_path, {"cat": "cat-config"})
    assert len(played.restic().init(REMOTE, bucket_exists=True)) == 64


def test_the_other_side_of_a_copy_comes_by_the_environment_and_only_then(tmp_path):
    played = PlayedRestic("0.14.0", tmp_path, {"cat": "cat-config"})
    restic = played.restic()
    restic.init(LOCAL)
    assert "RESTIC_FROM_REPOSITORY" not in played.started[0].env
    other = RepositoryAddress("/srv/other", "another password")
    restic.copy(LOCAL, other)
    environment = played.started[-1].env
    assert environment["RESTIC_FROM_REPOSITORY"] == LOCAL.url
    assert environment["RESTIC_FROM_PASSWORD"] == PASSWORD
    assert environment["RESTIC_REPOSITORY"] == other.url
    assert environment["RESTIC_PASSWORD"] == "another password"


def test_a_copy_between_accounts_is_refused_as_restic_has_room_for_one(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    other = RepositoryAddress("s3:http://127.0.0.1:9102/d/e", PASSWORD, access_key="OTHER")
    with pytest.raises(ResticError) as refused:
        played.restic().copy(REMOTE, other)
    assert refused.value.cause == "credentials-differ"
    assert "mirror" in refused.value.hint


@each_version
def test_a_prune_is_bounded_by_what_it_may_leave_and_what_it_may_move(version, tmp_path):
    played = PlayedRestic(version, tmp_path)
    restic = played.restic()
    assert restic.forget(LOCAL, ["a" * 64]).ignored == ("00c0ffee",)
    assert played.started[-1].argv[-1] == "a" * 64
    restic.prune(LOCAL)
    assert played.started[-1].argv[-3:] == ("prune", "--max-unused", "5%")
    restic.prune(LOCAL, max_unused="0", max_repack=1 << 30)
    assert played.started[-1].argv[-1] == f"--max-repack-size={1 << 30}"


@each_version
def test_restic_waits_for_a_lock_where_it_can(version, tmp_path, source):
    played = PlayedRestic(version, tmp_path)
    played.restic(wait_for_lock=timedelta(minutes=2)).backup(LOCAL, host="ehr", paths=[source])
    assert ("--retry-lock" in played.started[-1].argv) is (version != "0.14.0")


@each_version
def test_flags_stand_before_the_paths(version, tmp_path, source):
    played = PlayedRestic(version, tmp_path)
    played.restic().backup(
        LOCAL,
        host="ehr",
        paths=[source],
        exclude=["*.tmp"],
        tags=["drorch"],
    )
    argv = played.started[-1].argv
    assert argv[-2:] == ("--", str(source))
    assert {"--exclude=*.tmp", "--tag=drorch"} <= set(argv)
    assert ("--no-scan" in argv) is (version != "0.14.0")
    assert "s3.connections" not in " ".join(argv)


@each_version
def test_with_a_progress_sink_the_totals_are_asked_for(version, tmp_path, source):
    seen = []
    played = PlayedRestic(version, tmp_path)
    attempt = Attempt(progress=seen.append)
    played.restic().backup(LOCAL, host="ehr", paths=[source], attempt=attempt)
    assert "--no-scan" not in played.started[-1].argv


def test_progress_is_told_in_bytes_and_files(tmp_path, source):
    seen = []

    def backup(process):
        status = {"message_type": "status", "total_files": 9, "total_bytes": 90}
        process.print(json.dumps(status | {"files_done": 3, "bytes_done": 30}))
        process.print(json.dumps({"message_type": "summary", "snapshot_id": "a" * 64}))
        return 0

    played = PlayedRestic("0.18.0", tmp_path, {"backup": backup})
    attempt = Attempt(progress=seen.append)
    played.restic().backup(LOCAL, host="ehr", paths=[source], attempt=attempt)
    (told,) = seen
    assert (told.files_done, told.files_total, told.bytes_done, told.bytes_total) == (3, 9, 30, 90)


def restoring(process):
    """A restic that restores one file."""
    argv = process.command.argv
    file = Path(argv[argv.index("--target") + 1]) / "srv" / "ehr" / "a"
    file.parent.mkdir(parents=True)
    file.write_text("1")
    return 0


def test_a_restore_never_reads_from_the_local_cache(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path, {"restore": restoring})
    paths = [PurePosixPath("/srv/ehr")]
    done = played.restic().restore(LOCAL, "a" * 64, paths, tmp_path / "to")
    assert "--no-cache" in played.started[-1].argv
    assert (done.files, done.bytes) == (1, 1)


def test_what_is_not_confirmed_does_not_show(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path, {"restore": restoring})
    target = tmp_path / "to"
    target.mkdir()
    seen = []

    def refuse():
        seen.append([path.name for path in target.iterdir()])
        raise LookupError

    paths = [PurePosixPath("/srv/ehr")]
    with pytest.raises(LookupError):
        played.restic().restore(LOCAL, "a" * 64, paths, target, confirm=refuse)
    assert [name.startswith(".drorch-restore-") for name in seen[0]] == [True]
    assert list(target.iterdir()) == []


@each_version
def test_a_restore_with_missing_packs_fails_and_leaves_nothing(version, tmp_path):
    played = PlayedRestic(version, tmp_path, {"restore": "restore-missing-pack"})
    with pytest.raises(ResticError) as failed:
        played.restic().restore(LOCAL, "a" * 64, [PurePosixPath("/srv")], tmp_path / "to")
    assert failed.value.cause == "damaged"
    assert not (tmp_path / "to").exists()


def test_a_restore_without_room_starts_no_restic(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path)
    with pytest.raises(ResticError) as failed:
        played.restic().restore(
            LOCAL,
            "a" * 64,
            [PurePosixPath("/srv")],
            tmp_path / "to",
            needed=Needed(bytes=1 << 60),
        )
    assert failed.value.cause == "disk-full"
    assert played.started == []


def test_names_to_include_are_meant_literally(tmp_path):
    played = PlayedRestic("0.18.0", tmp_path, {"restore": "restore"})
    with pytest.raises(ResticError):
        played.restic().restore(
            LOCAL,
            "a" * 64,
            [PurePosixPath("/srv")],
            tmp_path / "to",
            include=[PurePosixPath("ward[1]/*"), PurePosixPath("/srv/b")],
        )
    argv = played.started[-1].argv
    assert "--include=/srv/ward\\[1]/\\*" in argv
    assert "--include=/srv/b" in argv


def test_a_cancelled_attempt_starts_nothing(tmp_path, source):
    played = PlayedRestic("0.18.0", tmp_path)
    cancel = Cancellation()
    cancel.cancel("Ctrl-C")
    with pytest.raises(ResticError) as stopped:
        played.restic().backup(LOCAL, host="ehr", paths=[source], attempt=Attempt(cancel=cancel))
    assert stopped.value.cause == "interrupted"
    assert played.started == []


def test_a_deadline_is_told_as_such(tmp_path, source):
    played = PlayedRestic("0.18.0", tmp_path, {"backup": lambda process: process.hang()})
    attempt = Attempt(timeout=timedelta(milliseconds=1))
    with pytest.raises(ResticError) as late:
        played.restic().backup(LOCAL, host="ehr", paths=[source], attempt=attempt)
    assert late.value.cause == "timeout"


def test_a_document_longer_than_the_longest_line_is_read(tmp_path):
    """The port hands over very long lines in pieces."""
    one = {"id": "a" * 64, "time": "2026-11-23T03:00:00.123456789+01:00", "paths": ["/srv"]}

    def snapshots(process):
        text = json.dumps([one] * 3)
        process.print(*(text[i : i + 50] for i in range(0, len(text), 50)))
        return 0

    played = PlayedRestic("0.18.0", tmp_path, {"snapshots": snapshots})
    found = played.restic().snapshots(LOCAL)
    assert len(found) == 3
    assert found[0].time.isoformat() == "2026-11-23T02:00:00.123456+00:00"


def test_secrets_in_what_restic_says_are_not_repeated(tmp_path):
    def snapshots(process):
        process.complain(f"Fatal: the server said {SECRET}")
        return 1

    played = PlayedRestic("0.18.0", tmp_path, {"snapshots": snapshots})
    with pytest.raises(ResticError) as failed:
        played.restic().snapshots(REMOTE)
    assert SECRET not in failed.value.message
    assert "***" in failed.value.message


def test_a_repository_lies_below_datasets_in_its_bucket():
    region = Region("qc", "http://127.0.0.1:9102/", "drorch", "CA-QC", prefix="prod/")
    url = "s3:http://127.0.0.1:9102/drorch/prod/datasets/ehr-db"
    assert repository_url(region, "datasets/ehr-db") == url
