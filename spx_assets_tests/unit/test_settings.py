"""Where settings come from, in which order, and how wrong ones are told."""

from datetime import date
from pathlib import Path

import pytest

from spx_assets.settings import FAMILIES, ModelSettings, SettingsError, load, scope_of
from spx_assets.training import families


def test_the_environment_wins_over_the_homes_file_and_that_over_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / ".env").write_text("SPX_SIMULATOR__SEED=1\nSPX_SIMULATOR__DAYS=1\nSPX_LOOKBACK_DAYS=1\n")
    (home / "settings.env").write_text("SPX_SIMULATOR__SEED=2\nSPX_SIMULATOR__DAYS=2\n")
    monkeypatch.setenv("SPX_SIMULATOR__SEED", "3")
    settings = load(home)
    assert (settings.simulator.seed, settings.simulator.days, settings.lookback_days) == (3, 2, 1)


def test_without_a_home_named_anywhere_it_is_dot_spx_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPX_HOME")
    assert load().home == tmp_path / ".spx"
    (tmp_path / ".env").write_text(f"SPX_HOME={tmp_path / 'elsewhere'}\n")
    assert load().home == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SPX_LOOKBACK_DAYS", "9", "SPX_LOOKBACK_DAYS='9': Input should be less than or equal to 5"),
        (
            "SPX_HISTORY_START",
            "2010-01-04",
            "SPX_HISTORY_START='2010-01-04': Value error, SPX_HISTORY_START=2010-01-04 is a Monday",
        ),
        ("SPX_MODELS__NO_EDGE", "hide", "SPX_MODELS__NO_EDGE='hide': Input should be 'flag' or 'refuse'"),
        ("SPX_MODELS__FAMILIES", '["oracle"]', "no model family oracle; known: lightgbm, xgboost"),
        ("SPX_MODELS__FAMILIES", '["linear", "linear"]', "name each model family once"),
        ("SPX_SERVING__PORT", "99999", "SPX_SERVING__PORT='99999': Input should be less than or equal to 65535"),
        ("SPX_MODELS__ENSEMBLE__MEMBERS", '["linear", "oracle"]', "no model family oracle; known: lightgbm, xgboost"),
        (
            "SPX_MODELS__FEATURES",
            '{"spx500_30": ["returns"]}',
            "SPX_MODELS__FEATURES names spx500_30, no forecaster of this home: spx500_h30, spx500_h60",
        ),
        *(
            ("SPX_LABELS__HORIZONS", told, f"SPX_LABELS__HORIZONS={told}: Value error, give one or more horizons, each once")
            for told in ("[]", "[30, 30]", "[0]", "[30, -5]", "[1440]")
        ),
        ("SPX_MODELS__SCOPES", "{bad", 'error parsing value for field "models"'),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_where_to_correct_it(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert words in str(caught.value)
    assert "correct it in the environment" in str(caught.value)


def test_the_settings_know_every_family_of_the_tree() -> None:
    assert set(FAMILIES) == {*families.MODULES, "ensemble"}
    assert all(family in ModelSettings.model_fields for family in FAMILIES)


def test_holidays_and_names_are_read_from_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_CALENDAR__HOLIDAYS", "2025-12-25, 2026-01-01")
    monkeypatch.setenv("SPX_MODELS__SCOPES", '{"eur_usd": ["EUR_USD"]}')
    settings = load()
    assert settings.calendar.holidays == [date(2025, 12, 25), date(2026, 1, 1)]
    assert settings.model_names == [("eur_usd_h30", "eur_usd", 30), ("eur_usd_h60", "eur_usd", 60)]
    assert (scope_of("SPX500_USD"), scope_of("EUR/USD")) == ("spx500", "eur_usd")
