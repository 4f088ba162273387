"""Two workers of a home that are told to train at the same moment."""

import asyncio
from pathlib import Path

import pytest
from filelock import FileLock

from serving.problems import HomeUnwritable, RetrainRunning
from serving.retraining.dagster import Dagster, Run
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import ServingSettings
from spx_assets_tests.unit.serving import dagster_server
from spx_assets_tests.unit.serving.dagster_server import FOUND, STARTED


def home(path: Path, url: str, *, timeout_s: float = 5.0) -> Settings:
    return load(path / "home").model_copy(update={"serving": ServingSettings(dagster_url=url, dagster_timeout_s=timeout_s)})


def test_one_training_is_started_and_the_other_call_is_told_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dagster_server.running() as fake:
        plain = fake.answer

        def answer(asked: dict[str, object]) -> bytes:
            said = plain(asked)
            if "launchRun" in str(asked["query"]):
                fake.found = FOUND | {"runsOrError": {"__typename": "Runs", "results": [STARTED["launchRun"]["run"]]}}
            return said

        monkeypatch.setattr(fake, "answer", answer)
        fake.delay_s = 0.05
        settings = home(tmp_path, fake.url)

        async def both() -> list[Run | BaseException]:
            # Each worker is a process with an object of its own.
            asked = [Dagster(settings).retrain(week="2025-10-12", assets=None, tags={}) for _ in range(2)]
            return await asyncio.gather(*asked, return_exceptions=True)

        started, told = sorted(asyncio.run(both()), key=lambda each: isinstance(each, BaseException))
    assert isinstance(started, Run)
    assert isinstance(told, RetrainRunning)
    assert "run run-1 of retrain is QUEUED" in told.detail
    assert sum("launchRun" in asked["query"] for asked in fake.asked) == 1


def test_who_waits_too_long_for_his_turn_is_told(tmp_path: Path) -> None:
    settings = home(tmp_path, "http://127.0.0.1:9", timeout_s=0.02)
    (settings.home / "serving").mkdir(parents=True)
    with (
        FileLock(settings.home / "serving" / "retrain.lock", thread_local=False),
        pytest.raises(RetrainRunning, match="another call is starting a training"),
    ):
        asyncio.run(Dagster(settings).retrain(week="2025-10-12", assets=None, tags={}))


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(HomeUnwritable, match=r"retrain\.lock cannot be locked"):
        asyncio.run(Dagster(home(tmp_path, "http://127.0.0.1:9")).retrain(week="2025-10-12", assets=None, tags={}))
