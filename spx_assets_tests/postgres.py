"""A throw-away PostgreSQL server for tests: `postgres_server` a session, `postgres_url` an empty database a test.

Belongs here: finding, starting and ending the server. Does not: what is tested on it. Use it from a conftest.py:
`from spx_assets_tests.postgres import postgres_server, postgres_url`.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest


def unavailable(reason: str) -> None:
    """Skip, or fail where the services are required (SPX_REQUIRE_SERVICES=1)."""
    if os.environ.get("SPX_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{reason}, and SPX_REQUIRE_SERVICES=1 requires it")
    pytest.skip(reason)


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: on PATH, by pg_config, or where distributions put it."""
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    if shutil.which("pg_config"):
        folders.append(Path(subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Server:
    """One cluster in a temporary folder, on a free port of the loopback, without fsync."""

    def __init__(self, folder: Path) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="spx-pg-"))
        self._as: dict[str, Any] = {"cwd": self._base}
        if os.geteuid() == 0:
            # initdb refuses to run as root.
            user = next(name for name in ("postgres", "nobody") if _known(name))
            entry = pwd.getpwnam(user)
            os.chown(self._base, entry.pw_uid, entry.pw_gid)
            self._as |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        data = str(self._base / "data")
        init = [str(folder / "initdb"), "-D", data, "-U", "spx", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, **self._as)
        options = [
            f"-p{self.port}",
            "-k",
            str(self._base),
            "-clisten_addresses=127.0.0.1",
            "-cfsync=off",
            "-cmax_connections=200",
        ]
        self._log = (self._base / "log").open("wb")
        self._process = subprocess.Popen(
            [str(folder / "postgres"), "-D", data, *options], stdout=self._log, stderr=self._log, **self._as
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://spx@127.0.0.1:{self.port}/{database}"

    def wait(self, timeout_s: float = 30.0) -> None:
        end = time.monotonic() + timeout_s
        while True:
            try:
                psycopg2.connect(self.url()).close()
                return
            except psycopg2.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def database(self, template: str = "template1") -> str:
        """URL of a new database: empty, or a copy of one that this server made and nobody uses any more."""
        name = f"spx_{uuid.uuid4().hex[:12]}"
        connection = psycopg2.connect(self.url())
        connection.autocommit = True
        with connection.cursor() as cursor:
            # A client that has just closed its connection may still be counted as one.
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [template])
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connection.close()
        return self.url(name)

    def stop(self) -> None:
        # Fast shutdown: SIGTERM would wait for every client to leave.
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._base, ignore_errors=True)


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A running server; skips where PostgreSQL is not installed."""
    folder = binaries()
    if folder is None:
        unavailable("PostgreSQL (initdb) is not installed")
        raise AssertionError("unreachable")
    server = Server(folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """URL of an empty database of the test's own."""
    return postgres_server.database()
