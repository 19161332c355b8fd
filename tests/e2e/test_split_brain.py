"""Two daemons of the same records as processes: the first notices the second, and nothing is lost of either."""

from drorch.core.names import SlotFate
from tests.e2e.watchman import on_watch, rows, slots
from tests.integration.app.sites import copy, recovered

JOB = "backup:db"


def fired(premises):
    return [row for row in slots(premises, JOB) if row.fate is not SlotFate.MISSED]


def objects(premises):
    """What lies in every region, but for what daemons tell of themselves and restic's locks."""
    everywhere = ((name, path) for name in premises.regions for path in premises.objects(name))
    return {o for o in everywhere if "/present/" not in o[1] and "/locks/" not in o[1]}


def begun(premises):
    """Runs that somebody's schedule began."""
    return {row.run for row in rows(premises, name="db") if row.trigger == "schedule"}


def test_the_first_stands_back_within_a_period_and_a_claim_takes_it_back(premises, tmp_path):
    premises.configuration["datasets"]["db"]["schedule"] = "every 5s"
    premises.save()
    with on_watch(premises) as first:
        first.wait_for(lambda: len(fired(premises)) >= 1)
        copy(premises)
        site, said = recovered(premises, tmp_path / "site")
        assert [one["state"] for one in said.document["others"]] == ["alive"]
        before = objects(premises)

        with on_watch(site) as second:
            second.wait_for(lambda: len(fired(site)) >= 1)
            first.wait_for(lambda: first.told("control-plane.split"))
            first.wait_for(lambda: not rows(premises, unfinished=True))
            stood = begun(premises)
            second.wait_for(lambda: len(fired(site)) >= 3)
            assert begun(premises) == stood, "one slot later, and ever after, nothing begins there"
            assert first.asked("/readyz")[0] == 503
            assert first.asked("/healthz") == (200, "ok\n")
            assert second.asked("/readyz")[0] == 200

            for one, charge in ((premises, False), (site, True)):
                told = one.cli("status").document
                assert told["control_plane"]["in_charge"] is charge
                assert [a["subject"][:13] for a in told["alarms"]
                        if a["what"] == "control-plane.split"] == ["control plane"]  # fmt: skip
                refused = one.cli("retention", "apply", "--dataset", "db")
                assert (refused.code, "drorch schedule claim" in refused.errors) == (4, not charge)
            listed = premises.cli("schedule", "list")
            assert all("is in charge" in one["held"] for one in listed.document)
            assert "warning: control plane" in listed.errors
            by_hand = premises.cli("backup", "docs")
            assert by_hand.code == 0
            assert "does not know of what is done here" in by_hand.errors

            first.kill()
            premises.kill("qc")
            with on_watch(premises) as again:
                again.wait_for(lambda: again.told("control-plane.split"))
                known = begun(premises)
                assert known == stood, "it noticed before it began anything"
                claimed = premises.cli("schedule", "claim", "--reason", "started by accident")
                assert claimed.code == 0, claimed.errors
                assert (claimed.document["term"], claimed.document["in_charge"]) == (2, True)
                second.wait_for(lambda: second.told("control-plane.split"))
                again.wait_for(lambda: len(begun(premises)) > len(known))
                second.wait_for(lambda: not rows(site, unfinished=True))
                there = begun(site)
                count = len(begun(premises))
                again.wait_for(lambda: len(begun(premises)) > count + 1)
                assert begun(site) == there
                assert again.stop() == 0
            assert second.stop() == 0
        premises.revive("qc")
    assert before <= objects(premises), "nothing of either was deleted"
    assert premises.cli("journal", "verify").code == 0
    assert site.cli("journal", "verify").code == 0
    missed = [row.why for row in slots(premises, JOB) if row.fate is not SlotFate.FIRED]
    assert any(why.endswith("(term 1) was in charge") for why in missed), missed
