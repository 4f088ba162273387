"""Search spaces name real settings, hold the defaults, and narrow around a point without leaving their range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spx_assets.settings import ModelSettings
from spx_assets.training import families
from spx_assets.training.errors import UnknownModelError
from spx_assets.training.tuning import spaces
from spx_assets.training.tuning.spaces import Real, Whole

PARTS = [(family, part) for family, space in spaces.SPACES.items() for part in space]


def test_every_family_has_a_table_of_its_own():
    assert set(spaces.SPACES) >= set(families.MODULES)
    assert [family for family, space in spaces.SPACES.items() if not space] == ["ensemble"]
    with pytest.raises(UnknownModelError, match="no search space for the family 'prophet'"):
        spaces.of("prophet")


@pytest.mark.parametrize(("family", "part"), PARTS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_every_range_is_a_setting_that_accepts_its_ends_and_has_its_default_inside(family, part):
    chosen = getattr(ModelSettings(), family)
    default = getattr(chosen, part.name)
    assert isinstance(default, int if isinstance(part, Whole) else float)
    assert part.low < default < part.high
    for end in (part.low, part.high):
        assert getattr(type(chosen).model_validate({**chosen.model_dump(), part.name: end}), part.name) == end


def test_names_are_given_once_a_family():
    for family, space in spaces.SPACES.items():
        assert len({part.name for part in space}) == len(space), family


@given(st.data(), st.sampled_from([part for _, part in PARTS]), st.sampled_from([0.1, 1 / 3, 0.7]))
def test_a_narrowed_range_is_narrower_lies_inside_and_holds_the_best(data, part, share):
    draw = st.integers(part.low, part.high) if isinstance(part, Whole) else st.floats(part.low, part.high)
    best = data.draw(draw)
    inner = part.narrowed(best, share)
    assert part.low <= inner.low <= inner.high <= part.high
    assert inner.high - inner.low < part.high - part.low
    # A range spaced by ratio comes back from its logarithm with the last digits changed.
    assert inner.low <= best * (1 + 1e-9)
    assert best <= inner.high * (1 + 1e-9)


def test_a_third_around_the_best_in_units_and_in_ratios():
    assert Real("share", 0.0, 3.0).narrowed(1.0, 1 / 3) == Real("share", 0.5, 1.5)
    assert Real("share", 0.0, 3.0).narrowed(3.0, 1 / 3) == Real("share", 2.0, 3.0)
    by_ratio = Real("rate", 1.0, 1000.0, log=True).narrowed(10.0, 1 / 3)
    assert (by_ratio.low, by_ratio.high) == pytest.approx((10**0.5, 10**1.5))
    assert Whole("depth", 2, 6).narrowed(3, 1 / 2) == Whole("depth", 2, 4)
    assert Whole("rows", 100, 10_000, log=True).narrowed(10_000, 1 / 2) == Whole("rows", 1_000, 10_000, log=True)
