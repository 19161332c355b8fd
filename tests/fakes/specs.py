"""A small table of actions for tests of the compiler: what each promises, and nothing that does it."""

from drorch.core.action import ActionSpec, Kind, Parameter


def _parameters(**kinds: Kind | tuple[Kind, bool]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(name, kind) if isinstance(kind, Kind) else Parameter(name, kind[0], kind[1])
        for name, kind in kinds.items()
    )


SPECS = {
    spec.name: spec
    for spec in (
        ActionSpec(
            "command",
            "",
            _parameters(argv=Kind.ARGV, env=(Kind.MAPPING, False), cwd=(Kind.WRITE_PATH, False)),
            ("exit_code",),
            open_outputs=True,
        ),
        ActionSpec("shell", "", _parameters(script=Kind.TEXT), open_outputs=True),
        ActionSpec(
            "restore",
            "",
            _parameters(
                dataset=Kind.DATASET,
                to=Kind.WRITE_PATH,
                region=(Kind.REGION, False),
                include=(Kind.LIST, False),
            ),
            ("path", "snapshot"),
            repeatable=True,
        ),
        ActionSpec("look", "", _parameters(url=(Kind.URL, False)), ("seen",), check=True),
        ActionSpec(
            "approve",
            "",
            _parameters(
                prompt=Kind.TEXT,
                quorum=(Kind.INTEGER, False),
                by=(Kind.LIST, False),
                otherwise=(Kind.TEXT, False),
            ),
            person=True,
        ),
        ActionSpec(
            "typed",
            "",
            _parameters(
                text=(Kind.TEXT, False),
                integer=(Kind.INTEGER, False),
                number=(Kind.NUMBER, False),
                boolean=(Kind.BOOLEAN, False),
                duration=(Kind.DURATION, False),
                any=(Kind.ANY, False),
            ),
        ),
    )
}
