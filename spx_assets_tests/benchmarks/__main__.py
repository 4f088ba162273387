"""`python -m spx_assets_tests.benchmarks [NAME ...]`: run the budgets one after another and print measured beside allowed.

Belongs here: starting each benchmark in its own process, the table. Does not: workloads.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict

import polars as pl

from spx_assets.cli import output
from spx_assets.cli.memory import KEEPS_PAGES
from spx_assets_tests.benchmarks import (
    dashboard,
    demo,
    graph,
    headlines,
    monitoring,
    news,
    online,
    pipeline,
    rows,
    scoring,
    serving,
    stream,
    suite,
    training,
    tuning,
)
from spx_assets_tests.benchmarks.line import Line

BENCHMARKS = {
    "pipeline": pipeline.run,
    "graph": graph.run,
    "open_week": graph.open_week,
    "online": online.run,
    "training": training.run,
    "families": training.five_years,
    "tuning": tuning.run,
    "sequences": scoring.run,
    "serving": serving.run,
    "rows": rows.run,
    "stream": stream.run,
    "dashboard": dashboard.run,
    "sentiment": news.run,
    "headlines": headlines.run,
    "monitoring": monitoring.run,
    "retraining": monitoring.retrained,
    "demo": demo.run,
    "suite": suite.run,
}


def main(names: list[str]) -> int:
    """Print the table; 1 if a budget is missed."""
    lines: list[Line] = []
    for name in names or list(BENCHMARKS):
        print(f"{name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="spx-bench-") as home:
            env = {**os.environ, "SPX_HOME": home, "DAGSTER_DISABLE_TELEMETRY": "yes", "MLFLOW_DISABLE_TELEMETRY": "true"}
            if name == "pipeline":
                env = KEEPS_PAGES | env  # as in `spx backfill`
            done = subprocess.run(
                [sys.executable, "-m", "spx_assets_tests.benchmarks", "--one", name], env=env, stdout=subprocess.PIPE, check=True
            )
        lines += [Line(**row) for row in json.loads(done.stdout.splitlines()[-1])]
    rows = [{**asdict(line), "of_budget": line.share, "verdict": line.verdict} for line in lines]
    output.table(pl.DataFrame(rows, infer_schema_length=None), title="Budgets")
    return 1 if any(line.missed for line in lines) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps([asdict(line) for line in BENCHMARKS[sys.argv[2]]()]))
    else:
        raise SystemExit(main(sys.argv[1:]))
