"""Where the edge was destroyed the gate promotes no more often than by chance: permuted labels, late features, noise."""

from spx_assets.settings import GateSettings, Settings
from spx_assets_tests.integration.training import placebo


def test_at_most_two_of_six_placebos_are_promoted(settings: Settings):
    """At the gate's 5 % three or more of six happen by chance in two of a thousand runs; seeds 0 to 5, never picked.

    On half the days of the long suite's forty: about 105 effective observations, which the gate is told to take.
    """
    few = settings.models.model_copy(update={"gate": GateSettings(min_effective_obs=50.0)})
    small = settings.model_copy(update={"models": few})
    found = [placebo.verdict(small, seed, days=25).verdict for seed in range(6)]
    assert found.count("promoted") <= 2, found
