"""What a reader of a plan must know beside its steps."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from drorch.core.drafts import Draft
from drorch.core.names import Mode
from drorch.core.protect import FORBIDDEN, Guarded, offences
from drorch.core.render import preview

_INTERPRETERS = (
    "sh",
    "bash",
    "dash",
    "ksh",
    "zsh",
    "python",
    "perl",
    "ruby",
    "node",
    "php",
    "pwsh",
)
_SCRIPTED = frozenset({"shell", "ssh.command"})


def notices_of(
    drafts: Sequence[Draft], mode: Mode, inputs: Mapping[str, str], guarded: Guarded
) -> tuple[str, ...]:
    """Notices as sentences; of a drill, which steps could touch what is protected unseen; of a
    live run, which steps touch what is protected.
    """
    if mode is not Mode.DRILL:
        return tuple(_touching(drafts, inputs, guarded))
    scripted = [draft.id for draft in drafts if not draft.skip and _is_scripted(draft, inputs)]
    if not scripted:
        return ()
    steps = ", ".join(scripted)
    return (f"scripts cannot be looked into for what is protected: {steps}",)


def _touching(
    drafts: Sequence[Draft], inputs: Mapping[str, str], guarded: Guarded
) -> Iterator[str]:
    for draft in drafts:
        if draft.skip:
            continue
        known = {name: preview(value, inputs) for name, value in draft.arguments.items()}
        for one in offences(known, draft.spec, guarded):
            yield f"{draft.id} touches what is protected: {one.message.removesuffix(FORBIDDEN)}"


def _is_scripted(draft: Draft, inputs: Mapping[str, str]) -> bool:
    return draft.spec.name in _SCRIPTED or any(
        PurePosixPath(program).name.startswith(_INTERPRETERS)
        for program in _programs(draft, inputs)
    )


def _programs(draft: Draft, inputs: Mapping[str, str]) -> Iterator[str]:
    """The first word of every command among the arguments."""
    for value in draft.arguments.values():
        if isinstance(value, Sequence) and not isinstance(value, str) and value:
            yield str(preview(value[0], inputs))
