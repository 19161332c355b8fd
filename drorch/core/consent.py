"""Whether the people who answered are the right ones, and enough. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from drorch.core.events import PersonAnswered, PersonAsked
from drorch.core.names import Requester


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may agree, and how many must."""

    quorum: int = 1
    by: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requester: Requester = Requester.ALONE

    @classmethod
    def of(cls, asked: PersonAsked) -> "Terms":
        """Those of a question."""
        return cls(asked.quorum, asked.by, asked.groups, asked.requester)

    def admit(self, answer: PersonAnswered) -> bool:
        """Whether this answer counts: where somebody is named, only theirs do."""
        named = bool(self.by or self.groups)
        return not named or answer.by in self.by or bool({*answer.groups} & {*self.groups})

    def wanting(self, agreed: Collection[str], requester: str) -> str:
        """What is still missing, in words; empty if it is enough. People are counted, not answers."""
        people = set(agreed)
        others = people - {requester}
        counted = others if self.requester is Requester.NEVER else people
        if len(counted) < self.quorum:
            return f"{len(counted)} of {self.quorum} agreed"
        if self.requester is not Requester.ALONE and not others:
            return f"somebody other than {requester}, who started the run, must agree too"
        return ""
