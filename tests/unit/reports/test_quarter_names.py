"""Quarters whose records hold what is no text in UTF-8: names of files, words from command lines."""

from dataclasses import replace

import pytest

from drorch.core.documenting import document_of
from drorch.reports.quarter.forms import QuarterForm, render_quarter
from drorch.reports.tables import tables_of
from tests.unit.reports.quarters.sample import hospital


@pytest.mark.parametrize("form", list(QuarterForm))
def test_they_stop_no_report(form):
    document = document_of(replace(hospital(), organization="caf\udce9"))
    written = render_quarter(document, form, "fr")
    assert form is QuarterForm.PDF or rb"caf\udce9" in written or rb"caf\\udce9" in written


def test_they_stop_no_table():
    document = document_of(replace(hospital(), organization="caf\udce9"))
    assert any(rb"caf\udce9" in table for table in tables_of(document).values())
