"""Use cases of the lab: embedded S3 regions on loopback, for trying and for drills."""

from urllib.parse import urlsplit

from drorch.app.program import Program
from drorch.core.errors import UsageError
from drorch.core.values import Value
from drorch.lab.lab import Lab
from drorch.lab.regions import RegionSpec

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def lab_of(program: Program) -> Lab:
    """The lab of this configuration: `lab` beside the state."""
    return Lab(program.configuration.work / "lab", program.commands)


def up(program: Program) -> list[dict[str, Value]]:
    """Bring up a server for each region of the configuration that lies on loopback."""
    wanted = [
        RegionSpec(region.name, port, region.jurisdiction)
        for region in program.configuration.regions.values()
        if (port := _loopback_port(region.endpoint)) is not None
    ]
    if not wanted:
        raise UsageError(
            "no region of this configuration lies on loopback",
            "the lab serves endpoints such as http://127.0.0.1:9101; see configs/lab.yaml",
        )
    lab_of(program).up(wanted)
    return status(program)


def down(program: Program) -> list[dict[str, Value]]:
    """End the lab's servers; what they hold stays on disk."""
    lab_of(program).down()
    return status(program)


def status(program: Program) -> list[dict[str, Value]]:
    """How each of the lab's servers stands."""
    return [
        {
            "region": one.region.name,
            "endpoint": one.region.endpoint,
            "jurisdiction": one.region.jurisdiction,
            "alive": one.alive,
            "answers": one.answers,
            "data": str(one.region.data),
        }
        for one in lab_of(program).status()
    ]


def _loopback_port(endpoint: str) -> int | None:
    url = urlsplit(endpoint)
    return url.port if url.hostname in _LOOPBACK and url.scheme == "http" else None
