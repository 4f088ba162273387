"""The short suite on two workers, as `make test` runs it."""

import subprocess
import sys

from spx_assets.automation.instance import ROOT
from spx_assets_tests.benchmarks.line import Line, spent


def run() -> list[Line]:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
    with spent() as used:
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return [Line("`make test` after install", used.wall_s, 210.0, "s")]
