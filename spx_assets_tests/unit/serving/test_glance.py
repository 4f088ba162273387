"""A look at the lake is spared only where nothing can have been committed since the last one."""

import os
import time
from pathlib import Path

import pytest

from serving.glance import SETTLED_S, SPARED_S, Glance
from spx_assets.settings import LakeSettings, Settings


class Clock:
    at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "lake" / "catalog.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"rows")
    written(path, ago_s=60)
    return path


def written(path: Path, *, ago_s: float) -> None:
    os.utime(path, (time.time() - ago_s,) * 2)


def seen(home: Path, clock: Clock | None = None) -> Glance:
    made = Glance(Settings(home=home), clock=clock or Clock())
    assert not made.still()  # nothing was read yet
    made.note(made.look())
    return made


def test_files_that_lie_still_spare_a_look_for_a_while(tmp_path: Path, catalog: Path) -> None:
    clock = Clock()
    glance = seen(tmp_path, clock)
    assert glance.still()
    clock.at += SPARED_S
    assert not glance.still()
    glance.note(None)  # the lake could not be read
    assert not glance.still()


def test_a_commit_is_seen_in_the_catalog_or_in_what_waits_to_be_put_into_it(tmp_path: Path, catalog: Path) -> None:
    glance, waiting = seen(tmp_path), catalog.with_name("catalog.sqlite-wal")
    waiting.write_bytes(b"")
    assert not glance.still()
    written(waiting, ago_s=60)
    glance.note(glance.look())
    assert glance.still()
    written(waiting, ago_s=30)  # in the place of older pages: the size stays
    assert not glance.still()
    waiting.unlink()
    glance.note(glance.look())
    assert glance.still()
    other = catalog.with_name("other")
    other.write_bytes(b"rows")
    os.utime(other, ns=(catalog.stat().st_mtime_ns,) * 2)
    other.rename(catalog)  # another lake in its place
    assert not glance.still()


def test_a_file_written_just_now_is_not_relied_on(tmp_path: Path, catalog: Path) -> None:
    written(catalog, ago_s=SETTLED_S / 2)
    assert not seen(tmp_path).still()
    written(catalog, ago_s=-60)  # by a clock that is ahead
    assert not seen(tmp_path).still()
    catalog.unlink()
    assert not seen(tmp_path).still()


def test_a_catalog_without_files_is_asked_each_time(tmp_path: Path, catalog: Path) -> None:
    glance = Glance(Settings(home=tmp_path, lake=LakeSettings(catalog="postgresql://nobody@localhost/lake")))
    glance.note(glance.look())
    assert not glance.still()
