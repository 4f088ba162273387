"""The kill -9 proof, twenty times on each catalog."""

import pytest

from spx_assets.settings import Settings
from spx_assets_tests.integration.lake.crashes import kill_and_rerun

pytestmark = pytest.mark.long


@pytest.mark.timeout(900)
def test_twenty_killed_writers_leave_old_or_new_weeks_and_reruns_the_expected_ones(any_settings: Settings) -> None:
    kill_and_rerun(any_settings, times=20)
