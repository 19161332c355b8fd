"""Whose records these are: what the journal says of this control plane, and of others."""

import secrets as entropy
from collections.abc import Sequence
from datetime import datetime

from drorch.app.program import Program
from drorch.core.terms import Fate, OtherSeen, TermBegun, first_term, leader
from drorch.journal.increments import lineage


def own_term(program: Program) -> TermBegun:
    """The instance and term of these records; those of the first one, where nothing says otherwise."""
    known = [one.fact for one in program.journal.facts(TermBegun, "")]
    return known[0] if known else first_term(lineage(program.journal))


def others_of(program: Program) -> Sequence[OtherSeen]:
    """What is known of others, as it was last recorded."""
    return [one.fact for one in program.journal.facts(OtherSeen, "")]


def in_charge_elsewhere(program: Program) -> OtherSeen | None:
    """The other that is in charge, as far as the journal knows; None: this one is."""
    return leader(own_term(program), others_of(program))


def alone_in_charge(program: Program) -> bool:
    """Whether nobody else is in charge, nor was alive when last looked for, as far as is recorded."""
    others = others_of(program)
    living = any(one.fate is Fate.ALIVE for one in others)
    return not living and leader(own_term(program), others) is None


def new_instance() -> str:
    """What another control plane is told apart by."""
    return entropy.token_hex(8)


def decided_at(program: Program) -> datetime:
    """Now, as it will be on record: times are told to the millisecond there, and ranks compare them."""
    at = program.clock.now().at
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
