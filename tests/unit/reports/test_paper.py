"""The paper version of a runbook: golden pages in both languages, and what must stand on any of them.

With DRORCH_WRITE_GOLDEN=1 the golden pages are written anew; look at the difference before keeping it.
"""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from drorch.core.plan import PlannedStep
from drorch.reports.language import LANGUAGES, language
from drorch.reports.pages import css_string
from drorch.reports.paper.forms import PageSize, PaperFormat, render_paper
from drorch.reports.paper.order import placed, ranges
from drorch.reports.paper.source import Standing
from drorch.reports.paper.values import covered, shown
from drorch.reports.paper.view import paper
from tests.fakes.papers import PASSED, source
from tests.unit.reports.test_run_report import NASTY, Page

GOLDEN = Path(__file__).parent / "golden"


def page(code="en", **settings):
    return render_paper(source(**settings), PaperFormat.HTML, code, PageSize.A4).decode()


def steps(**settings):
    written = paper(source(**settings), language("en"))
    return {one.id: one for phase in written.phases for one in phase.steps}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("homeward", [False, True], ids=["away", "home"])
def test_golden(code, homeward):
    found = page(code, homeward=homeward)
    path = GOLDEN / f"paper-{'home' if homeward else 'away'}.{code}.html"
    if os.environ.get("DRORCH_WRITE_GOLDEN") == "1":
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_the_page_is_whole_and_says_its_language():
    for code in LANGUAGES:
        read = Page(page(code))
        assert dict(read.tags)["html"] == {"lang": code}
        assert "script" not in dict(read.tags)
        ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert not re.search(r"(src|href)=\"(?!#)", page(code))


def test_the_authors_texts_stay_in_their_language():
    assert "Two managers agree" in page("fr")
    assert "Équipe de relève, poste 4444" in page("en")


def test_secrets_stand_by_name_and_place_only():
    text = page()
    assert "hunter2" not in text
    assert "postgresql://audit:***@db.example/audit" in text
    assert "pass show drorch/tor" in text
    assert "read -rs RESTIC_PASSWORD   # secret repo-key" in text
    assert "read -rs API_TOKEN   # secret api-token" in text


def test_inputs_not_given_are_named_blanks():
    found = steps()
    assert found["primary-is-down"].lines[0] == "curl -sv -m 5 'telnet://{primary}' </dev/null"
    assert found["answers"].expected == (("json", "patients: {patients}"),)
    given = steps(inputs={"primary": "ehr.example:443", "patients": "5050"})
    assert given["primary-is-down"].lines[0] == "curl -sv -m 5 telnet://ehr.example:443 </dev/null"
    assert given["answers"].expected == (("json", "patients: 5050"),)


def test_what_an_earlier_step_gives_is_written_down_there():
    found = steps()
    assert found["documents"].writes == (
        ("documents.path", "realpath /srv/ehr-new/documents"),
        ("documents.files", "restic ls --long latest | grep -c ^-"),
    )
    assert found["token"].writes == (("token.stdout", ""),)
    assert found["serve"].writes == (("serve.pid", ""),)
    assert found["undo:serve"].lines == ("kill {serve.pid}",)


def test_a_restore_is_told_in_bare_restic():
    found = steps()
    assert found["documents"].opening == "R1"
    assert found["documents"].lines == (
        "restic restore latest --target /srv/ehr-new/documents.part",
        "mv -T /srv/ehr-new/documents.part/srv/ehr/documents /srv/ehr-new/documents",
        "rm -r /srv/ehr-new/documents.part",
    )
    assert found["database"].lines == (
        "mkdir -p /srv/ehr-new/db",
        "restic dump latest /ehr.dump > /srv/ehr-new/db/ehr.dump",
    )


def test_who_decides_is_told_with_a_line_for_each_signature():
    question = steps()["go-ahead"].question
    assert question is not None
    assert question.signatures == 2
    assert question.terms == (
        "May answer: m.tremblay, and the members of dr-managers.",
        "2 different people must agree.",
        "Whoever declared it cannot agree alone.",
        "Without an answer within 30 min everything is called off.",
    )
    assert steps()["go-ahead"].tags == ("Decision", "For real only")
    assert steps()["cable"].tags == ("By hand",)


def test_what_an_exercise_leaves_out_and_what_only_it_does_is_marked():
    found = steps()
    assert found["primary-is-down"].tags == ("For real only",)
    assert found["undo:serve"].tags == found["remove"].tags == ("Exercise only",)
    assert found["revoke-token"].tags == ("Also for real",)


def test_what_drorch_does_by_itself_has_no_invented_command():
    found = steps()["replicate-back"]
    assert found.lines == ()
    assert found.notes == ("There is no command to type: drorch does this by itself.",)


def test_how_far_it_is_proven():
    written = paper(source(standing=Standing(passed_run="r", passed_at=PASSED)), language("en"))
    assert written.proven
    assert written.standing.startswith("Proven by a drill that began on 22 August 2026, 23:00")
    unknown = paper(source(standing=Standing(known=False)), language("en"))
    assert not unknown.proven
    assert "the journal could not be read" in unknown.standing


def test_a_refused_drill_is_told():
    refused = replace(source(), drill_refused=("step x: is protected",))
    assert (
        "drorch refuses an exercise: step x: is protected."
        in paper(refused, language("en")).usage[-1]
    )


def test_foreign_text_cannot_break_the_page():
    whole = source()
    plan = replace(
        whole.plan,
        title=NASTY,
        organization=NASTY,
        steps=tuple(replace(s, title=NASTY) for s in whole.plan.steps),
    )
    nasty = replace(whole, plan=plan, runbook=replace(whole.runbook, owner=NASTY))
    text = render_paper(nasty, PaperFormat.HTML, "fr", PageSize.A4).decode()
    assert "<script" not in text
    Page(text)
    assert css_string('a"; } \\ <b>\n') == '"a\\22 \\3b  \\7d  \\5c  \\3c b\\3e \\a "'


def test_json_has_every_text():
    document = json.loads(render_paper(source(), PaperFormat.JSON, "fr", PageSize.A4))
    assert document["language"] == "fr"
    assert document["phases"][0]["steps"][0]["id"] == "region-answers"


def step(name, *needs):
    return PlannedStep(name, phase=source().plan.steps[0].phase, do="wait", needs=needs)


def test_order_needs_and_what_goes_on_beside():
    plan = replace(source().plan, steps=(step("c", "a", "b"), step("a"), step("b"), step("d", "b")))
    assert [(p.number, p.step.id, p.needs, p.beside) for p in placed(plan)] == [
        (1, "a", (), (2, 4)),
        (2, "b", (), (1,)),
        (3, "c", (1, 2), (4,)),
        (4, "d", (2,), (1, 3)),
    ]
    assert [p.wave for p in placed(plan)] == [1, 1, 2, 2]
    alone = placed(replace(plan, parallel=1))
    assert [p.beside for p in alone] == [()] * 4
    assert ranges([1, 2, 4, 5, 6, 9]) == ["1", "2", "4–6", "9"]


def test_values_as_they_stand_on_paper():
    assert covered("https://u:p@h/x and ssh://h:22/") == "https://u:***@h/x and ssh://h:22/"
    assert shown({"secret": "token"}) == "secret token"
    assert shown({"a": 1, "b": [True, None]}) == 'a: 1, b: ["true", "null"]'


def test_a_restore_of_nobody_knows_yet_what_has_blanks_and_names_the_tables():
    found = steps(name="any-restore")["restore"]
    assert found.opening == "R1"
    assert found.lines == ("restic restore latest --target /srv/back",)
    assert found.notes[0].startswith("What is in braces and no input")
    written = paper(source(name="any-restore"), language("en"))
    assert written.openings[0].heading == "Open {dataset} in {region} by restic alone"
    assert written.openings[0].lines[:2] == (
        "export RESTIC_REPOSITORY='s3:{endpoint}/{bucket}/datasets/{dataset}'",
        "read -rs AWS_ACCESS_KEY_ID   # secret {access-key}",
    )
    headings = {table.heading: [row[0] for row in table.rows] for table in written.tables}
    assert headings["Regions"] == ["mtl", "qc"]
    assert headings["Where the data lies"] == ["ehr-documents", "ehr-db"]
    where = steps(name="any-restore", inputs={"region": "qc", "dataset": "ehr-db"})["restore"]
    assert where.lines[-1] == "restic dump latest /ehr.dump > /srv/back/ehr.dump"


def test_a_condition_that_nothing_can_change_is_decided_on_paper():
    found = steps(name="any-restore")
    assert "Left out here: what it depends on is not so." in found["never"].orders
    assert not [order for order in found["always"].orders if "Only if" in order]


def test_waves_are_drawn_where_steps_may_go_side_by_side():
    written = paper(source(), language("en"))
    waves = {phase.heading: phase.waves for phase in written.phases}
    assert waves["Steps"] == (("3–5",), ("6",), ("7", "8"), ("9–11",))
    assert waves["Verification"] == (("12", "13"),)
    assert waves["Preconditions"] == waves["Cleanup"] == ()
    one = replace(source(), plan=replace(source().plan, parallel=1))
    assert all(phase.waves == () for phase in paper(one, language("en")).phases)
