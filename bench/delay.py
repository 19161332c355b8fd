"""A proxy that makes a region far away: whatever goes through it comes later, and as fast.

    python -m bench.delay MILLISECONDS PORT...    prints its own ports, one a line; ends with its input

Half of the round trip is added each way, and a whole one to a new connection, which a handshake
would take. As many bytes as the ends can handle are under way.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_PIECE = 1 << 18


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, first: float
) -> None:
    """Every piece `delay` seconds later, the first one `first` seconds more."""
    clock = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

    async def deliver() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    delivering = asyncio.ensure_future(deliver())
    late = first
    with suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            await under_way.put((clock() + delay + late, piece))
            late = 0.0
    await under_way.put((clock() + delay, b""))
    with suppress(ConnectionError):
        await delivering


async def _serve(round_trip: float, ports: Sequence[int]) -> None:
    servers = []
    for port in ports:

        async def relay(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port
        ) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port, limit=_PIECE)
            await asyncio.gather(
                _pass_on(reader, back, round_trip / 2, round_trip),
                _pass_on(there, writer, round_trip / 2, 0.0),
            )

        server = await asyncio.start_server(relay, "127.0.0.1", 0, limit=_PIECE)
        servers.append(server)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


@contextmanager
def far_away(round_trip: float, ports: Sequence[int]) -> Iterator[list[str]]:
    """Endpoints that lead to these ports of loopback, so many seconds away, by a process of its own."""
    milliseconds = f"{1000 * round_trip:g}"
    with subprocess.Popen(
        [sys.executable, "-m", "bench.delay", milliseconds, *map(str, ports)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield [f"http://127.0.0.1:{process.stdout.readline().strip()}" for _ in ports]
        finally:
            process.stdin.close()
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000, [int(port) for port in sys.argv[2:]]))
