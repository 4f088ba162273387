"""Default LightGBM, both heads, on the size of the real S&P 500 series."""

from spx_assets.lake import Lake
from spx_assets.settings import SimulatorSettings, load
from spx_assets.training import train
from spx_assets_tests.benchmarks.graph import bound, execute
from spx_assets_tests.benchmarks.line import Line, spent

# 335 trading days of the simulator: 460 thousand bars.
DAYS = 335


def run() -> list[Line]:
    settings = load().model_copy(update={"simulator": SimulatorSettings(days=DAYS)})
    weeks = bound(settings)
    execute(settings, weeks[0], weeks[-1])
    lake = Lake.open(settings)
    rows = lake.count("gold.market_features")
    with spent() as used:
        train.train(lake, settings, name="spx500_h30", family="lightgbm", week=weeks[-1], run_id="bench")
    return [Line(f"LightGBM, both heads, {rows:,} rows, judged and exported", used.wall_s, 90.0, "s")]
