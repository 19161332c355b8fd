"""Who is in charge of several control planes, by what they tell of themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from drorch.core.plane import Point
from drorch.core.terms import (
    ALIVE_FOR,
    SPOKEN_OF,
    Fate,
    OtherSeen,
    Presence,
    Sighting,
    TermBegun,
    clone_seen,
    first_term,
    leader,
    other_seen,
    spoken_of,
    told_term,
)

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
OWN = TermBegun("bb" * 8, 1, NOW, "root", "recovered", "aa" * 8, 0, announced=True)
US = Presence("n2", OWN.instance, 1, NOW, "here", NOW, NOW, Point(9, "x"))


def other(term, *, at=NOW, instance="cc" * 8, **known):
    return OtherSeen(instance, term, at, "there", Fate.ALIVE, NOW, **known)


def sighted(age=timedelta(), **told):
    return Sighting(replace(US, name="n1", **told), age, NOW - age)


def test_terms_count_before_times_and_times_before_names():
    years = timedelta(days=3650)
    assert leader(OWN, [other(0, at=NOW + years)]) is None
    assert leader(OWN, [other(2, at=NOW - years)]) is not None
    assert leader(OWN, [other(1, at=NOW - years)]) is None
    assert leader(OWN, [other(1, at=NOW + years)]) is not None
    assert leader(OWN, [other(1, instance="00" * 8)]) is None
    assert leader(OWN, [other(1)]) is not None
    highest = other(5, instance="dd" * 8)
    assert leader(OWN, [other(2), highest, other(3)]) is highest


def test_a_higher_one_counts_whatever_became_of_it():
    for fate in Fate:
        assert leader(OWN, [replace(other(2), fate=fate)]) is not None


def test_of_two_exactly_one_is_in_charge():
    """Whichever of two ranks is asked: the other one gives the other answer."""
    ranks = [
        (t, NOW + timedelta(days=d), n * 8) for t in (0, 1) for d in (0, 1) for n in ("aa", "bb")
    ]
    for one in ranks:
        for two in ranks:
            if one == two:
                continue
            answers = [
                leader(
                    TermBegun(mine[2], mine[0], mine[1], "", "", announced=True),
                    [other(theirs[0], at=theirs[1], instance=theirs[2])],
                )
                for mine, theirs in ((one, two), (two, one))
            ]
            assert [a is None for a in answers].count(True) == 1


def test_life_is_judged_by_age_and_goodbye():
    assert sighted(ALIVE_FOR).fate is Fate.ALIVE
    assert sighted(ALIVE_FOR + timedelta(seconds=1)).fate is Fate.SILENT
    assert sighted(stopped=True).fate is Fate.STOPPED


def test_several_daemons_of_one_are_one():
    many = [sighted(timedelta(hours=1), host="old"), sighted(host="new"), sighted(stopped=True)]
    seen = other_seen(many)
    assert (seen.fate, seen.host, seen.back) == (Fate.ALIVE, "new", False)
    assert other_seen([sighted(back=True), sighted(timedelta(hours=1))]).back
    assert not other_seen([sighted(back=True), sighted()]).back


def test_a_claim_counts_at_once_beside_a_daemon_that_lives_and_for_no_daemon():
    claimed, works = {"term": 2, "stopped": True}, sighted(timedelta(minutes=1), host="daemon")
    seen = other_seen([sighted(**claimed), works])
    assert (seen.term, seen.fate, seen.host) == (2, Fate.ALIVE, "daemon")
    put_back = other_seen([sighted(ALIVE_FOR + timedelta(seconds=1), **claimed), works])
    assert put_back.term == 1, "what an earlier one claimed long ago, this one knows nothing of"
    alone = other_seen([sighted(timedelta(hours=1), **claimed), sighted(timedelta(hours=2))])
    assert (alone.term, alone.fate) == (2, Fate.STOPPED)


def test_of_two_copies_the_one_that_began_earlier_works():
    earlier = sighted(began_at=NOW - timedelta(hours=1))
    later = sighted(began_at=NOW + timedelta(hours=1))
    assert leader(OWN, [clone_seen(OWN, [earlier], US)]) is not None
    assert leader(OWN, [clone_seen(OWN, [later], US)]) is None
    at_once = sighted(began_at=NOW)  # under the lesser name
    assert leader(OWN, [clone_seen(OWN, [at_once], US)]) is not None
    mirrored = clone_seen(OWN, [Sighting(US, timedelta(), NOW)], replace(US, name="n1"))
    assert leader(OWN, [mirrored]) is None


def test_a_copy_that_stands_back_or_is_gone_holds_nobody_up():
    for gone in ({"back": True}, {"stopped": True}):
        seen = clone_seen(OWN, [sighted(began_at=NOW - timedelta(hours=1), **gone)], US)
        assert leader(OWN, [seen]) is None
    silent = sighted(timedelta(hours=1), began_at=NOW - timedelta(hours=2))
    assert leader(OWN, [clone_seen(OWN, [silent], US)]) is None


def test_whoever_stood_back_for_a_copy_does_so_while_that_works():
    later = sighted(began_at=NOW + timedelta(hours=1))
    assert leader(OWN, [clone_seen(OWN, [later], replace(US, back=True))]) is not None


def test_a_claim_settles_it_between_copies():
    claimed = sighted(term=2, instance="dd" * 8)
    assert leader(OWN, [other_seen([claimed])]) is not None
    ours = replace(OWN, instance="dd" * 8, term=2)
    assert leader(ours, [clone_seen(OWN, [sighted(began_at=NOW - timedelta(1))], US)]) is None


def test_what_was_only_looked_at_outranks_nobody():
    assert told_term(OWN) == 1
    assert told_term(replace(OWN, announced=False)) == 0
    assert first_term("ab" * 32).instance == "ab" * 8
    assert first_term("ab" * 32).announced


def test_how_long_one_is_spoken_of():
    silent = replace(other(0), fate=Fate.SILENT)
    assert spoken_of(silent, NOW + SPOKEN_OF)
    assert not spoken_of(silent, NOW + SPOKEN_OF + timedelta(seconds=1))
    assert not spoken_of(replace(other(0), fate=Fate.STOPPED), NOW)
    assert spoken_of(replace(other(0), fate=Fate.STOPPED, clone=True), NOW)
    assert spoken_of(other(0), NOW + 9 * SPOKEN_OF)


def test_only_news_are_recorded():
    known = other(0)
    assert known.differs(None)
    assert not replace(known, heard_at=NOW + timedelta(hours=1)).differs(known)
    assert replace(known, fate=Fate.SILENT).differs(known)
