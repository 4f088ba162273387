"""`spx deploy`: two services behind one address, and which of them answers."""

from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from serving.rollout.split import Split
    from spx_assets.settings import Settings

app = typer.Typer(
    help="Blue (the champion) and green (the challenger) behind one address: their shares, taking one back.", no_args_is_help=True
)


@app.command()
def status() -> None:
    """The split in force, and of each colour whether it answers, what it serves and how its answers were since its start."""
    import httpx
    import polars as pl

    from serving.rollout.split import Splits
    from spx_assets.cli import output
    from spx_assets.settings import load

    settings = load()
    split = Splits(settings).current()
    if split is None:
        typer.echo("no split: blue answers everything; `spx deploy canary 10` begins one", err=True)
    else:
        _tell(split)
    green = split.green if split else 0
    key = settings.deploy.key.get_secret_value()
    with httpx.Client(timeout=settings.deploy.timeout_s, headers={"authorization": f"Bearer {key}"} if key else {}) as client:
        colours = {"blue": (100 - green, settings.deploy.blue_url), "green": (green, settings.deploy.green_url)}
        rows = [{"colour": name, "percent": share, "url": url, **_seen(client, url)} for name, (share, url) in colours.items()]
    output.table(pl.DataFrame(rows))


@app.command()
def canary(
    percent: int = typer.Argument(min=0, max=100, help="Share of the requests that green answers."),
    sticky: str | None = typer.Option(None, help="request or address: what draws the colour; by default as before."),
    reason: str = typer.Option("", help="Kept in the history."),
) -> None:
    """Let green answer a share of the requests."""
    _change(percent, reason=reason or f"canary of {percent} %", sticky=_sticky(sticky))


@app.command()
def cutover(reason: str = typer.Option("", help="Kept in the history.")) -> None:
    """Let green answer everything. To make its version the champion: `spx models promote`, then `spx deploy rollback`."""
    _change(100, reason=reason or "cutover")


@app.command()
def rollback(reason: str = typer.Option("", help="Kept in the history.")) -> None:
    """Let blue answer everything."""
    _change(0, reason=reason or "rollback")


@app.command()
def history() -> None:
    """Every change of the split: when, by whom, why."""
    import polars as pl

    from serving.rollout.split import Splits
    from spx_assets.cli import output
    from spx_assets.settings import load

    splits = Splits(load()).history()
    names = ("number", "green", "sticky", "changed_at", "by", "reason")
    output.table(pl.DataFrame({name: [getattr(split, name) for split in splits] for name in names}))


@app.command()
def watch() -> None:
    """Compare green with blue every few seconds and take green back when it answers worse (SPX_DEPLOY__*)."""
    import logging
    import signal
    import time

    from serving.rollout.watch import Watch
    from spx_assets.monitoring.alerts import kinds
    from spx_assets.monitoring.alerts.raising import raise_alert
    from spx_assets.settings import load

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Every look is a request of its own: its two log lines would be all the log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = load()

    def announce(before: "Split", after: "Split") -> None:
        raise_alert(settings, kinds.rollback(number=after.number, percent=before.green, reason=after.reason))

    watching = Watch(settings, announce=announce)
    try:
        while True:
            watching.look()
            time.sleep(settings.deploy.interval_s)
    except KeyboardInterrupt:
        watching.close()


@app.command()
def prepare(canary: int = typer.Option(10, min=0, max=100, help="Share of green in the first split.")) -> None:
    """Make a home ready for the containers: a market if it has none, a key for the watchers, a first split. Safe to repeat."""
    import dagster as dg

    from serving.rollout.split import Splits
    from spx_assets.automation import instance
    from spx_assets.cli.up import bind_if_empty
    from spx_assets.settings import load

    settings = load()
    instance.place(settings)
    # Dagster's tables are made once, here: several processes that first meet an empty database would each begin to.
    with dg.DagsterInstance.get():
        bind_if_empty(settings)
    _watchers_key(settings)
    splits = Splits(settings)
    if splits.current() is None:
        splits.change(canary, by="prepare", reason="the first split")
    typer.echo(f"{settings.home} is ready")


def _watchers_key(settings: "Settings") -> None:
    """A viewer's key in the home's settings, to read the metrics of a closed service with; a new one if it opens nothing."""
    from serving.keys import KeyStore

    keys = KeyStore(settings)
    if keys.holder(settings.deploy.key.get_secret_value()) is not None:
        return
    _, key = keys.create("watchers", "viewer")
    _keep(settings.home / "settings.env", {"SPX_DEPLOY__KEY": key, "SPX_ALERTS__SERVICE_KEY": key})


def _keep(path: "Path", values: dict[str, str]) -> None:
    """Settings in the home's file, in the place of earlier ones of their names; for the owner's eyes only."""
    import os

    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() not in values]
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n")
    part.replace(path)


def _change(green: int, *, reason: str, sticky: Literal["request", "address"] | None = None) -> None:
    import getpass

    from serving.rollout.split import Splits
    from spx_assets.settings import load

    _tell(Splits(load()).change(green, by=getpass.getuser(), reason=reason, sticky=sticky))


def _sticky(given: str | None) -> Literal["request", "address"] | None:
    from serving.rollout.split import SplitError

    if given is None or given == "request" or given == "address":
        return given  # type: ignore[return-value]  # one of the literals
    raise SplitError(f"--sticky {given} is unknown; choose request or address")


def _tell(split: "Split") -> None:
    typer.echo(
        f"split {split.number}: green answers {split.green} %, blue {100 - split.green} %, drawn by {split.sticky}, since "
        f"{split.changed_at:%Y-%m-%d %H:%M:%S} UTC ({split.by}: {split.reason})",
        err=True,
    )


def _seen(client: "httpx.Client", url: str) -> dict[str, object]:
    """What one colour says of itself; empty fields where it does not answer."""
    import httpx

    from serving.rollout.compare import UnreachableError, read

    try:
        health = client.get(f"{url}/health")
        counts = read(client, url)
    except (httpx.HTTPError, UnreachableError) as error:
        return {"state": f"unreachable: {error}", "models": "", "answers": None, "failed": None, "p95_ms": None}
    told = health.json() if health.status_code == httpx.codes.OK else {}
    return {
        "state": told.get("status", f"HTTP {health.status_code}"),
        "models": ", ".join(_served(client, url)),
        "answers": counts.answers,
        "failed": round(counts.share(unavailable=True), 4),
        "p95_ms": round(1e3 * counts.p95_s(), 2),
    }


def _served(client: "httpx.Client", url: str) -> list[str]:
    answer = client.get(f"{url}/models")
    models = answer.json() if answer.status_code == 200 else []
    return [f"{model['name']}: {model['version']}" for model in models]
