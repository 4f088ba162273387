"""`make demo` after the install: a new home from nothing to one served forecast."""

import subprocess
import sys

from spx_assets_tests.benchmarks.line import Line, spent


def run() -> list[Line]:
    with spent() as used:
        subprocess.run([sys.executable, "-m", "spx_assets.cli", "demo"], check=True, stdout=subprocess.DEVNULL)
    return [Line("`make demo` after install", used.wall_s, 240.0, "s")]
