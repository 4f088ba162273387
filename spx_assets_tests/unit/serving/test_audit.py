"""The audit log grows to a size, is put aside, and no line is lost between processes that write it together; where none can be
written nothing is changed.
"""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from litestar.testing import TestClient

from serving.app import create_app
from serving.audit import AuditLog
from serving.keys import KeyStore
from spx_assets.settings import load
from spx_assets.settings.serving import AuditSettings, ServingSettings
from spx_assets_tests.unit.serving.homes import model

LINES = 120
PADDING = "x" * 40_000
"""So that 27 lines are a megabyte."""


def test_it_is_rotated_by_size_and_as_many_are_kept_as_the_setting_says(tmp_path: Path) -> None:
    serving = ServingSettings(audit=AuditSettings(rotate_mb=1, keep=3))
    settings = load(tmp_path / "home").model_copy(update={"serving": serving})
    logs = [AuditLog(settings) for _ in range(2)]
    for number in range(LINES):
        logs[number % 2]._append({"number": number, "padding": PADDING})
    for log in logs:
        log.close()
    folder = settings.home / "logs"
    assert sorted(path.name for path in folder.glob("audit*")) == ["audit.ndjson", *(f"audit.ndjson.{n}" for n in (1, 2, 3))]
    files = [folder / f"audit.ndjson{end}" for end in (".3", ".2", ".1", "")]
    numbers = [[json.loads(line)["number"] for line in path.read_text().splitlines()] for path in files]
    assert [len(found) for found in numbers] == [27, 27, 27, LINES - 4 * 27]
    assert [number for found in numbers for number in found] == list(range(27, LINES))
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


@pytest.mark.parametrize("stands", ["a file in the place of its folder", "a full disk"])
def test_what_needs_a_role_is_refused_undone_where_its_line_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stands: str
) -> None:
    settings = load(tmp_path / "home")
    model(settings)
    _, key = KeyStore(settings).create("ops", "operator")
    logs = settings.home / "logs"
    with TestClient(create_app(settings)) as client, monkeypatch.context() as broken:
        if stands == "a full disk":
            broken.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_blocks=1, f_bavail=0))
        else:
            logs.write_bytes(b"")
        answer = client.delete("/models/spx500_h30", headers={"x-api-key": key})
        assert (answer.status_code, answer.json()["code"]) == (503, "home_unwritable")
        assert "audit.ndjson cannot be written" in answer.json()["detail"]
        assert client.delete("/models/spx500_h30").status_code == 401
        assert len(client.get("/models").json()) == 1
        told = [text for text in client.get("/health").json()["problems"] if text.startswith("audit: ")]
        assert len(told) == (0 if stands == "a full disk" else 1)
        broken.undo()
        if logs.is_file():
            logs.unlink()
        assert client.delete("/models/spx500_h30", headers={"x-api-key": key}).status_code == 200
        assert not [text for text in client.get("/health").json()["problems"] if text.startswith("audit: ")]
    lines = [json.loads(line) for line in (logs / "audit.ndjson").read_text().splitlines()]
    assert (lines[-1]["who"], lines[-1]["status"]) == ("ops", 200)
