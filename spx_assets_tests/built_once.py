"""Folders that are dear to make, made by one worker of the run and copied by the others.

Belongs here: who makes a folder, and that nobody sees half of one. Does not: what is in it. Use it in a session fixture.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def copy(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """This worker's copy of the folder that `make` fills in whichever worker asks for it first."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built once"
    shared.mkdir(exist_ok=True)
    made, begun = shared / name, shared / f"{name} begun"
    with FileLock(shared / f"{name}.lock"):
        if not made.exists():
            shutil.rmtree(begun, ignore_errors=True)
            make(begun)
            begun.rename(made)
    return Path(shutil.copytree(made, factory.mktemp(name.replace(" ", "-")) / "home"))
