"""Why work was missed, as the journal has it, in the reader's language."""

import pytest

from drorch.reports.language import language
from drorch.reports.quarter.reading import Reading
from drorch.reports.quarter.reasons import reason

SAID = {
    "no daemon was running": "aucun service de drorch ne tournait",
    "control plane 1f2e3d4c on dr-host (term 2) was in charge": (
        "le plan de contrôle 1f2e3d4c sur dr-host (mandat 2) était aux commandes"
    ),
    "a copy of this very one on dr-host (term 1) is in charge": (
        "une copie de ce même plan de contrôle sur dr-host (mandat 1) était aux commandes"
    ),
    "for 40d 15h it was older than promised": "plus vieille que promis pendant 40\u202fj 15\u202fh",
    "docs has no source": "docs has no source",
}


@pytest.mark.parametrize("why", SAID)
def test_it_is_said_in_french(why):
    assert reason(Reading({"timezone": ""}, language("fr")), why) == SAID[why]
