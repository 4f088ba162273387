"""Processes forked from one that has imported the service: importing it takes 1.3 s of CPU, which each start would pay again, and
DuckDB's look at the signatures of a lake's extensions 0.5.

Belongs here: the process that forks, the handle of a forked one. Does not: what is run there (`homes`).

A forked process is the service as users run it, on its own socket, with its own threads, journal and end; only its imports are
inherited. What the imports themselves do is asserted of a process started whole (`test_state`).
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO


class Forked:
    """A forked process, with the words of `subprocess.Popen` that tests use."""

    def __init__(self, forker: "Forker", pid: int) -> None:
        self._forker, self.pid = forker, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forker.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:  # the forker has not waited for it, so its number is still its own
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forker:
    """The process that has imported what it forks."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
        )
        atexit.register(self.end)

    def fork(self, script: str, args: list[str], *, env: dict[str, str], log: Path) -> Forked:
        """A process that runs a script in the caller's working directory, its output in `log`."""
        pid = self.ask(script=script, args=args, env=env, log=str(log), cwd=str(Path.cwd()))
        assert pid is not None
        return Forked(self, pid)

    def ask(self, **question: object) -> int | None:
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        print(json.dumps(question), file=asked, flush=True)
        answer: int | None = json.loads(told.readline())
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@cache
def forker() -> Forker:
    """The one of this process, started when it is first needed."""
    return Forker()


def _run(script: str, args: list[str], *, env: dict[str, str], log: str, cwd: str) -> None:
    """Becomes what was asked for."""
    with Path(os.devnull).open("rb") as nothing, Path(log).open("ab") as output:
        for source, number in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["-c", *args]
    main = sys.modules["__main__"] = ModuleType("__main__")  # without a file, as of `python -c`: nothing that is spawned runs it
    exec(compile(script, "<script>", "exec"), main.__dict__)


def _main(asked: IO[str], told: IO[str]) -> None:
    import serving.run  # noqa: F401 - what scripts import that start a service
    from serving.preloading import preload
    from spx_assets.settings import load

    preload(load())
    for line in asked:
        question = json.loads(line)
        if "ended" in question:
            pid, status = os.waitpid(question["ended"], os.WNOHANG)
            print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), file=told, flush=True)
            continue
        pid = os.fork()
        if not pid:
            _run(question.pop("script"), question.pop("args"), **question)
            return  # to the end of the interpreter, as a script does
        print(json.dumps(pid), file=told, flush=True)


if __name__ == "__main__":
    _main(sys.stdin, sys.stdout)
