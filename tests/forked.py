"""drorch's command line as a process of its own without the second that loading it takes.

    python tests/forked.py --serve SOCKET      the process that has loaded it, and is forked from
    python -IS tests/forked.py SOCKET WORDS…   stands for `drorch WORDS…` in a shell

What is forked is a process like any other: its own pid, environment, folder, streams, and end. That
drorch starts from nothing, and what it loads then, is for tests/e2e/cli.
"""

import json
import os
import socket
import sys
from array import array
from contextlib import suppress
from functools import cache
from pathlib import Path

_ONCE = 200_000


def ask(place: str, words: list[str], env: dict[str, str], cwd: str, fds: tuple[int, int, int], strict: bool = False) -> tuple[socket.socket, int]:  # fmt: skip
    """Begin a command line there: what tells of its end, and its pid."""
    there = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    there.connect(place)
    message = json.dumps({"words": words, "env": env, "cwd": cwd, "strict": strict}).encode()
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))]
    there.sendmsg([message], ancillary)
    return there, int(there.recv(100))


@cache
def door() -> str:
    """Where to ask the process to fork from, which is started once and ends with this one."""
    import atexit
    import shutil
    import subprocess
    import tempfile

    folder = tempfile.mkdtemp(prefix="drorch-forked-")
    place = f"{folder}/door"
    line = [sys.executable, __file__, "--serve", place]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return place


def run(words: list[str], env: dict[str, str], cwd: Path, timeout: float) -> tuple[int, str, str]:
    """Carry a command line out: its exit code, and what it said on stdout and on stderr.

    Ends it and raises TimeoutError after so many seconds.
    """
    import signal
    from tempfile import TemporaryFile

    with Path(os.devnull).open() as nothing, TemporaryFile() as out, TemporaryFile() as errors:
        fds = (nothing.fileno(), out.fileno(), errors.fileno())
        there, pid = ask(door(), words, env, str(cwd), fds)
        with there:
            there.settimeout(timeout)
            try:
                code = int(there.recv(100))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
        said = []
        for file in (out, errors):
            file.seek(0)
            said.append(file.read().decode())
    return code, said[0], said[1]


def _stand_in(place: str, words: list[str]) -> int:
    there, _ = ask(place, words, dict(os.environ), str(Path.cwd()), (0, 1, 2), strict=True)
    code = int(there.recv(100))
    return code if code >= 0 else 128 - code


def _serve(place: str) -> None:
    import selectors

    _load()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(place)
    door.listen(16)
    watched = selectors.DefaultSelector()
    watched.register(door, selectors.EVENT_READ)
    watched.register(0, selectors.EVENT_READ)  # whoever started it lets go of it when it ends
    print("ready", flush=True)
    while True:
        for key, _ in watched.select():
            if key.fileobj == 0:
                return
            if key.fileobj is door:
                asker, _ = door.accept()
                pid = _forked(asker)
                _told(asker, pid)
                watched.register(os.pidfd_open(pid), selectors.EVENT_READ, (asker, pid))
            else:
                asker, pid = key.data
                watched.unregister(key.fd)
                os.close(key.fd)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with asker:
                    _told(asker, code)


def _told(asker: socket.socket, number: int) -> None:
    with suppress(OSError):  # perhaps nobody waits for it any more
        asker.send(str(number).encode())


def _load() -> None:
    from importlib import import_module

    from drorch.app.preload import MODULES
    from drorch.sealing import vault
    from drorch.storage.loading import load

    vault._N = 16  # type: ignore[misc] # as in tests/integration/conftest.py
    load()
    for name in (*MODULES, "drorch.cli.main"):
        import_module(name)


def _forked(asker: socket.socket) -> int:
    message, ancillary, _, _ = asker.recvmsg(_ONCE, socket.CMSG_SPACE(12))
    given = array("i")
    given.frombytes(ancillary[0][2])
    pid = os.fork()
    if pid == 0:
        _carry_out(json.loads(message), list(given))
    for fd in given:
        os.close(fd)
    return pid


def _carry_out(asked: dict, given: list[int]) -> None:
    import atexit
    import threading
    import time
    import traceback
    import warnings

    for number, fd in enumerate(given):
        os.dup2(fd, number)
    os.closerange(3, 1024)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    if asked["strict"]:
        warnings.simplefilter("error")
    code: object = 1
    try:
        from drorch.cli.main import main

        sys.argv = ["drorch", *asked["words"]]
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined] # what Python does at its end
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    finally:
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(sys.argv[2])
    else:
        sys.exit(_stand_in(sys.argv[1], sys.argv[2:]))
