"""The sample quarters lie beside as documents."""

import pytest

from tests.unit.reports.quarters.sample import FOLDER, SAMPLES, text_of


@pytest.mark.parametrize("name", SAMPLES)
def test_the_file_is_what_the_values_give(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text_of(name), (
        "run: python -m tests.unit.reports.quarters.sample"
    )
