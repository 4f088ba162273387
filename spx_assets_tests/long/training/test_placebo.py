"""How often the gate promotes where the edge was destroyed, over forty seeds that nobody picked."""

import pytest

from spx_assets.settings import Settings
from spx_assets_tests.integration.training import placebo

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def test_at_most_five_of_forty_placebos_are_promoted(settings: Settings):
    found = []
    for seed in range(40):
        judged = placebo.verdict(settings, seed)
        found.append(judged.verdict)
        print(seed, placebo.PLACEBOS[seed % 3].__name__, judged.verdict, judged.reason)
    assert found.count("promoted") <= 5, found
