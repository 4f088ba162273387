"""A writer that dies leaves the old rows or the new, and its locks."""

import os

from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.integration.lake.crashes import kill_and_rerun


def test_killing_a_writer_at_random_moments_leaves_old_or_new_weeks_and_a_rerun_the_expected_ones(
    made_settings: Settings,
) -> None:
    kill_and_rerun(made_settings, times=3 if made_settings.lake.catalog else 5)


def test_a_forked_child_reads_and_writes_with_a_connection_of_its_own_and_the_parent_goes_on(lake: Lake) -> None:
    lakes.replace(lake, lakes.WEEKS[:1], level=1.0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            rows = lake.sql("SELECT count(*) AS n FROM bronze.candles").item()
            status = 0 if rows == 120 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lakes.replace(lake, lakes.WEEKS[:1], level=2.0)
    assert lake.read("bronze.candles")["close"][0] == 2.0
