"""What the containers must do, one promise a function; each returns its figures in words."""

import threading
import time
import uuid
from collections import Counter

import httpx

from spx_assets_tests.compose import graph
from spx_assets_tests.compose.stack import DAGSTER, MLFLOW, PROXY, SERVICES, Stack, StackError, until

ASKED = {"instrument": "SPX500_USD"}


def refuses_to_start_without_secrets(stack: Stack) -> str:
    for setting in ("SPX_SERVING__SECRET", "POSTGRES_PASSWORD"):
        said = stack.compose("run", "--rm", "--no-deps", "-e", f"{setting}=", "serving-blue", check=False)
        if f"{setting} is empty and the mode is production" not in said:
            raise StackError(f"without {setting} it said: {said[-500:]}")
    return "serving-blue named SPX_SERVING__SECRET and POSTGRES_PASSWORD"


def comes_up_from_nothing(stack: Stack) -> str:
    start = time.monotonic()
    stack.compose("up", "--detach")
    stack.wait(patience_s=400)
    for url in (f"{DAGSTER}/server_info", f"{MLFLOW}/health", f"{PROXY}/proxy/health", f"{PROXY}/health/live"):
        httpx.get(url, timeout=10).raise_for_status()
    users = {name: stack.run(name, "id", "-u").strip() for name in ("dagster-code", "serving-blue", "nginx", "mlflow")}
    if "0" in users.values():
        raise StackError(f"root runs in {users}")
    return f"{len(SERVICES)} services healthy after {time.monotonic() - start:.0f} s, none of ours as root"


def graph_is_made_through_the_ui(stack: Stack, desk: httpx.Client) -> str:
    from datetime import date, timedelta

    first, last = stack.run("dagster-code", "python", "-c", _SPAN).split()
    weeks, week = [], date.fromisoformat(first)
    while week <= date.fromisoformat(last):
        weeks.append(week.isoformat())
        week += timedelta(weeks=1)
    took = graph.backfill(graph.market_assets(), weeks, patience_s=900)
    answer = desk.post("/retrain", json={"name": "spx500_h30", "families": ["lightgbm", "linear"]})
    if answer.status_code != httpx.codes.ACCEPTED:
        raise StackError(f"POST /retrain: {answer.status_code} {answer.text}")
    trained = graph.run(answer.json()["run_id"], patience_s=900)
    return f"{len(weeks)} weeks of bronze to gold in {took:.0f} s, two families trained in {trained:.0f} s"


_SPAN = """
from spx_assets.lake import Lake
from spx_assets.settings import load
from spx_assets.sources import feeds
weeks = feeds.weeks_with_rows(Lake.open(load()))
print(weeks[0], weeks[-1])
"""


def forecasts_through_the_proxy(desk: httpx.Client) -> str:
    until(lambda: desk.post("/predict", json=ASKED).status_code == 200, "answered by /predict", 120)
    answer = desk.post("/predict", json=ASKED)
    stranger = httpx.post(f"{PROXY}/predict", json=ASKED)
    if stranger.status_code != httpx.codes.UNAUTHORIZED:
        raise StackError(f"without a key the answer is {stranger.status_code}")
    told = answer.json()
    return f"{told['model_version']} answered by {answer.headers['x-colour']}, gate {told['gate']}; without a key 401"


def canary_gets_its_share(stack: Stack, desk: httpx.Client, *, percent: int, requests: int) -> str:
    stack.run("rollout", "spx", "deploy", "canary", str(percent))
    seen = Counter(desk.post("/predict", json=ASKED).headers["x-colour"] for _ in range(requests))
    share = 100 * seen["green"] / requests
    if abs(share - percent) > 2:
        raise StackError(f"green answered {share:.1f} % of {requests} requests, asked for {percent}")
    same = {desk.post("/predict", json=ASKED, headers={"x-request-id": f"again-{0:012d}"}).headers["x-colour"] for _ in range(20)}
    if len(same) != 1:
        raise StackError("one request id met both colours")
    stack.run("rollout", "spx", "deploy", "canary", "50", "--sticky", "address")
    met = {desk.post("/predict", json=ASKED).headers["x-colour"] for _ in range(50)}
    stack.run("rollout", "spx", "deploy", "canary", str(percent), "--sticky", "request")
    if len(met) != 1:
        raise StackError("one address met both colours of a sticky split")
    return f"green answered {share:.1f} % of {requests:,} requests; one id and, when asked, one address meets one colour"


def cutover_and_rollback_drop_nothing(stack: Stack, key: str) -> str:
    """Eight clients ask without a pause while the split goes to green, back, and to green again."""
    answers: Counter[str] = Counter()
    failures: list[str] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=PROXY, headers={"x-api-key": key}, timeout=10) as client:
            while not done.is_set():
                try:
                    answer = client.post("/predict", json=ASKED, headers={"x-request-id": uuid.uuid4().hex})
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                    continue
                if answer.status_code != httpx.codes.OK:
                    failures.append(f"{answer.status_code} {answer.text[:200]}")
                answers[answer.headers.get("x-colour", "none")] += 1

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    for command in (["cutover"], ["rollback"], ["canary", "50"], ["cutover"], ["rollback"]):
        stack.run("rollout", "spx", "deploy", *command)
        time.sleep(2)
    done.set()
    for client in clients:
        client.join()
    if failures or not answers["green"] or not answers["blue"]:
        raise StackError(f"{len(failures)} of {answers.total()} requests failed: {failures[:3]}; by colour {dict(answers)}")
    return f"{answers.total():,} requests over five changes, 0 failed ({answers['blue']:,} blue, {answers['green']:,} green)"


def green_is_taken_back_when_it_hangs(stack: Stack, desk: httpx.Client) -> str:
    stack.run("rollout", "spx", "deploy", "canary", "20")
    stack.pause("serving-green", on=True)
    try:
        took = until(lambda: "green answers 0 %" in _split(stack), "taken back", 90)
        statuses = Counter(desk.post("/predict", json=ASKED).status_code for _ in range(50))
    finally:
        stack.pause("serving-green", on=False)
    if statuses != Counter({200: 50}):
        raise StackError(f"after the rollback: {dict(statuses)}")
    return f"a green that hung was taken back after {took:.0f} s"


def _split(stack: Stack) -> str:
    return stack.compose("exec", "-T", "rollout", "spx", "deploy", "status", check=False)


def each_container_comes_back(stack: Stack, desk: httpx.Client) -> str:
    took = {}
    for service in SERVICES:
        stack.kill_and_see_it_start(service)
        took[service] = until(lambda: stack.healthy(SERVICES), f"all healthy after {service} was killed", 300)
        until(lambda: desk.post("/predict", json=ASKED).status_code == 200, f"forecasts after {service} was killed", 120)
    slowest = max(took, key=lambda name: took[name])
    return f"kill -9 of each of {len(took)}: all healthy again, the slowest after {took[slowest]:.0f} s ({slowest})"


def down_and_up_keep_everything(stack: Stack, desk: httpx.Client) -> str:
    given = desk.post("/predict", json=ASKED).json()["id"]
    time.sleep(1)
    before = _kept(stack)
    stack.compose("down")
    stack.compose("up", "--detach")
    stack.wait(patience_s=400)
    until(lambda: desk.post("/predict", json=ASKED).status_code == 200, "forecasts after down and up", 120)
    after, found = _kept(stack), desk.get(f"/predictions/{given}")
    # The daemon and the stream worker go on: runs, bars and forecasts may have become more.
    lost = {what: (number, after[what]) for what, number in before.items() if after[what] < number}
    if lost or found.status_code != httpx.codes.OK:
        raise StackError(f"before and after down and up: {lost}; forecast {given}: {found.status_code}")
    return f"{', '.join(f'{number:,} {what}' for what, number in before.items())} and forecast {given} outlived down and up"


def _kept(stack: Stack) -> dict[str, int]:
    """How much there is of what each store keeps: lake, Dagster, MLflow, the split's history."""
    counted = dict(row.split(",") for row in stack.run("dagster-code", "spx", "sql", _COUNT).split("\n")[1:] if row)
    runs = graph.ask("{ runsOrError { ... on Runs { count } } }")["runsOrError"]["count"]
    models = httpx.get(f"{MLFLOW}/api/2.0/mlflow/model-versions/search", timeout=30).raise_for_status().json()
    splits = stack.run("rollout", "spx", "deploy", "history").splitlines()[1:]
    return {
        **{what: int(number) for what, number in counted.items()},
        "runs": runs,
        "registered versions": len(models["model_versions"]),
        "changes of the split": len(splits),
    }


_COUNT = """
select 'feature rows' as what, count(*) as number from gold.market_features
union all select 'versions', count(*) from models.versions union all select 'answers', count(*) from serving.predictions
"""
