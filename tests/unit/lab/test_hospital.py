"""The invented hospital's rows, documents and tooling: the same again from the same seed."""

import hashlib
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime

import pytest

from drorch.lab.hospital import documents as papers
from drorch.lab.hospital.chance import chance
from drorch.lab.hospital.cluster import find_postgresql
from drorch.lab.hospital.documents import Kind
from drorch.lab.hospital.production import TODAY, Scale
from drorch.lab.hospital.records import (
    OPENED,
    PATIENTS,
    VISITS,
    canary_value,
    health_number,
    patients,
    results,
    visits,
)
from drorch.lab.hospital.tools import NAMES, write_tools


def rows(seed: int) -> list[tuple]:
    return list(patients(chance(seed, "patients"), 1, 2_000, set()))


def test_the_same_seed_gives_the_same_people_and_another_gives_others():
    assert rows(7) == rows(7)
    assert rows(7) != rows(8)


def test_chance_does_not_depend_on_what_was_drawn_before_under_other_names():
    chance(7, "visits").random()
    assert chance(7, "patients").random() == chance(7, "patients").random()
    assert chance(7, "patients").random() != chance(7, "visits").random()


@pytest.mark.parametrize(
    ("family", "given", "born", "sex", "expected"),
    [
        ("Tremblay", "Marie", date(1960, 3, 12), "F", "TREM 6053 1211"),
        ("Côté", "Étienne", date(2004, 11, 5), "M", "COTE 0411 0511"),
        ("Roy", "Luc", date(1999, 1, 31), "M", "ROYL 9901 3111"),
        ("St-Pierre", "Zoé", date(2012, 12, 1), "F", "STPZ 1262 0111"),
        ("Cy", "Mai", date(1985, 7, 9), "F", "CYXM 8557 0911"),
    ],
)
def test_a_health_number_has_the_form_that_quebec_knows(family, given, born, sex, expected):
    assert health_number(family, given, born, sex, 11) == expected


def test_every_patient_has_a_health_number_of_their_own():
    numbers = [row[1] for row in rows(7)]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"[A-Z]{4} \d{4} \d{4}", number) for number in numbers)


def test_a_new_patient_never_takes_a_number_in_use():
    taken: set[str] = set()
    first = list(patients(chance(7, "a"), 1, 500, taken))
    again = list(patients(chance(7, "a"), 501, 500, taken))
    assert {row[1] for row in first} & {row[1] for row in again} == set()
    assert len(taken) == 1_000


def test_rows_fit_their_tables():
    came = visits(chance(7, "visits"), 1, 500, 2_000, OPENED, TODAY)
    assert {len(row) for row in rows(7)} == {len(PATIENTS.columns)}
    assert {len(row) for row in came} == {len(VISITS.columns)}
    assert {row[1] for row in came} <= {row[0] for row in rows(7)}
    found = list(results(chance(7, "results"), 1, 1_200, came))
    assert [row[0] for row in found] == list(range(1, 1_201))
    assert {row[1] for row in found} <= {row[0] for row in came}


def test_visits_come_in_order_within_their_days_and_end_after_they_began():
    came = visits(chance(7, "visits"), 1, 500, 2_000, OPENED, TODAY)
    arrivals = [datetime.fromisoformat(row[3]) for row in came]
    assert arrivals == sorted(arrivals)
    assert all(OPENED <= at.date() <= TODAY for at in arrivals)
    assert all(datetime.fromisoformat(row[4]) >= datetime.fromisoformat(row[3]) for row in came)


def test_no_text_would_break_copys_form():
    texts = [t for row in rows(7) for t in row if isinstance(t, str)]
    came = visits(chance(7, "visits"), 1, 2_000, 2_000, OPENED, TODAY)
    texts += [t for row in came for t in row if isinstance(t, str)]
    assert not [t for t in texts if set(t) & set("\t\n\\")]


def test_canaries_of_two_days_differ():
    draws = random.Random(1)
    assert canary_value(draws) != canary_value(draws)


def test_a_share_of_a_hospital_has_at_least_one_of_everything():
    assert Scale(10, 10, 10, 10, 1_000).part(0.01) == Scale(1, 1, 1, 1, 10)


def planned(seed: int = 7, count: int = 400, total: int = 12_000_000):
    documents = papers.plan(chance(seed, "documents"), 1, count, OPENED, TODAY)
    return papers.stretch(documents, total)


def test_documents_have_paths_of_their_own_by_year_and_month():
    documents = planned()
    assert len({d.path for d in documents}) == len(documents)
    for document in documents:
        assert document.path.startswith(f"{document.day:%Y/%m}/")


def test_sizes_spread_over_orders_of_magnitude_and_make_the_total():
    documents = planned(count=3_000, total=210_000_000)
    sizes = sorted(d.size for d in documents)
    assert sizes[100] * 100 < sizes[-100]
    assert sum(sizes) == pytest.approx(210_000_000, rel=0.001)
    assert Counter(d.kind for d in documents).keys() == set(Kind)


def test_what_holds_no_image_is_not_stretched():
    text = papers.Document("2026/11/1.txt", Kind.REPORT, TODAY, 500)
    assert papers.stretch([text], 10_000) == (text,)


def test_written_documents_are_the_same_again_and_the_manifest_names_their_hashes(tmp_path):
    told: list[int] = []
    digests = papers.write(tmp_path / "a", planned(count=60), 7, told.append)
    assert papers.write(tmp_path / "b", planned(count=60), 7, told.append) == digests
    assert papers.write(tmp_path / "c", planned(count=60), 8, told.append).keys() == digests.keys()
    for path, digest in digests.items():
        assert hashlib.sha256((tmp_path / "a" / path).read_bytes()).hexdigest() == digest
        assert (tmp_path / "a" / path).read_bytes() != (tmp_path / "c" / path).read_bytes()
    assert len(told) == 180
    assert sum(told[:60]) == papers.total_bytes(tmp_path / "a", digests)


def test_the_manifest_is_what_sha256sum_reads(tmp_path):
    digests = papers.write(tmp_path, planned(count=40), 7, lambda _: None)
    whole = papers.write_manifest(tmp_path, digests)
    assert whole == hashlib.sha256((tmp_path / "SHA256SUMS").read_bytes()).hexdigest()
    assert papers.read_manifest(tmp_path) == digests
    check = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, check=False, cwd=tmp_path).returncode == 0
    next(tmp_path.rglob("*.txt")).write_text("autre chose")
    assert subprocess.run(check, check=False, cwd=tmp_path, capture_output=True).returncode == 1


def test_files_are_what_their_suffix_says(tmp_path):
    digests = papers.write(tmp_path, planned(count=60), 7, lambda _: None)
    for path in digests:
        content = (tmp_path / path).read_bytes()
        if path.endswith(".pdf"):
            at = int(content.split(b"startxref\n")[1].split(b"\n")[0])
            assert content.startswith(b"%PDF-")
            assert content[at:].startswith(b"xref\n")
        elif path.endswith(".dcm"):
            assert content[128:132] == b"DICM"
        else:
            assert "Sainte-Rive" in content.decode()


def test_a_rewritten_document_keeps_its_path_and_kind_and_takes_other_content(tmp_path):
    [document, *_] = planned(count=40)
    again = papers.rewritten(chance(7, "x"), document.path, date(2026, 11, 21))
    assert (again.path, again.kind) == (document.path, document.kind)
    before = papers.write(tmp_path, [document], 7, lambda _: None)
    assert papers.write(tmp_path, [again], 7, lambda _: None) != before


def test_a_document_that_cannot_be_written_stops_the_rest(tmp_path):
    documents = planned(count=40)
    (tmp_path / "2021").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="2021"):
        papers.write(tmp_path, documents, 7, lambda _: None)


SAYS = {
    "ehr-dump": "no dump was made",
    "ehr-database": "Usage: ehr-database init",
    "ehr-service": "the following arguments are required: --documents",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_tools_can_be_started_by_this_python_even_from_an_awkward_place(name, tmp_path):
    awkward = tmp_path / ("a place with spaces, rather far away " * 6) / "python"
    awkward.parent.mkdir()
    awkward.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    awkward.chmod(0o755)
    for number, interpreter in enumerate((sys.executable, str(awkward))):
        write_tools(tmp_path / str(number), interpreter)
        program = tmp_path / str(number) / name
        done = subprocess.run([program], check=False, capture_output=True, text=True, env={})
        assert done.returncode != 0
        assert SAYS[name] in done.stderr


def test_the_newest_whole_postgresql_is_taken(tmp_path):
    assert find_postgresql(tmp_path) is None
    for version, programs in (
        ("9.6", "initdb postgres psql pg_dump pg_restore"),
        ("15", "initdb postgres psql pg_dump pg_restore"),
        ("17", "psql"),
    ):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        for name in programs.split():
            (folder / name).touch()
    assert find_postgresql(tmp_path) == tmp_path / "15" / "bin"
