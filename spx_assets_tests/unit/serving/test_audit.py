"""The audit log grows to a size, is put aside, and no line is lost between processes that write it together."""

import json
from pathlib import Path

from serving.audit import AuditLog
from spx_assets.settings import load
from spx_assets.settings.serving import AuditSettings, ServingSettings

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
