"""`spx up`: Dagster UI and daemon, the forecasting service and the MLflow UI of one home, ended together."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from spx_assets.settings import Settings


def up(
    port: int = typer.Option(3000, min=0, max=65535, help="Dagster UI; the next free port above it if taken."),
    serving_port: int | None = typer.Option(
        None, min=0, max=65535, help="Forecasting service; default SPX_SERVING__PORT (8000)."
    ),
    mlflow_port: int = typer.Option(5001, min=0, max=65535, help="MLflow UI."),
    host: str = typer.Option("127.0.0.1", help="Address all of them listen on."),
    only: list[str] = typer.Option([], help="Start only these of dagster, serving, mlflow, stream."),
) -> None:
    """Start the Dagster UI, the daemon, the service and the MLflow UI for the home in use; Ctrl-C stops all."""
    import signal
    import time

    from spx_assets.automation import home
    from spx_assets.cli import processes
    from spx_assets.cli.processes import ProcessError
    from spx_assets.settings import load

    settings = load()
    home.place(settings)
    # A stop from outside (docker, a supervisor) ends the children as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    ports = {
        "dagster": processes.free_port(port),
        "serving": processes.free_port(settings.serving.port if serving_port is None else serving_port),
        "mlflow": processes.free_port(mlflow_port),
    }
    bind_if_empty(settings)
    (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    commands = _commands(settings, ports, host)
    if unknown := set(only) - set(commands):
        raise ProcessError(f"no service named {', '.join(sorted(unknown))}; known: {', '.join(commands)}")
    commands = {name: command for name, command in commands.items() if not only or name in only}
    env = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "DO_NOT_TRACK": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        **_from_the_start(settings),
        **_dagster_of(settings, ports["dagster"]),
        **_alerts(settings, ports["serving"] if "serving" in commands else None),
        **_links(settings, ports, host),
    }
    own = {"mlflow": _store_of_mlflow(settings)}
    children = {name: processes.start(command, env=env | own.get(name, {})) for name, command in commands.items()}
    try:
        for name, path in {"serving": "/health", "mlflow": "/health", "dagster": "/server_info"}.items():
            if name not in children:
                continue
            processes.wait_until_answers(f"http://127.0.0.1:{ports[name]}{path}", children[name], patience_s=120.0)
            typer.echo(f"{name}\thttp://127.0.0.1:{ports[name]}")
        typer.echo("ready; Ctrl-C stops all")
        while True:
            for name, child in children.items():
                if child.poll() is not None:
                    raise ProcessError(f"{name} ended with exit code {child.returncode}; the others were stopped")
            time.sleep(0.5)
    except KeyboardInterrupt:
        typer.echo("stopping")
    finally:
        processes.end(list(children.values()))


def _commands(settings: "Settings", ports: dict[str, int], host: str) -> dict[str, list[str]]:
    """What starts each service: as modules, for an installer may put its scripts elsewhere than beside the interpreter."""
    import sys

    from spx_assets.automation import home

    workspace = str(home.ROOT / "workspace.yaml")
    dagster = ("dagster", "dev", "-w", workspace, "-h", host, "-p", str(ports["dagster"]))
    serving = ("spx_assets.cli", "serve", "--host", host, "--port", str(ports["serving"]))
    # What `mlflow server` would start: it imports all of MLflow's commands for that, 7 s of CPU, and stays beside it with 150 MB.
    # One person looks at one home, so one process answers.
    quiet = ("--log-level", "warning")
    mlflow = ("uvicorn", "mlflow.server.fastapi_app:app", "--host", host, "--port", str(ports["mlflow"]), *quiet)
    commands = {"dagster": dagster, "serving": serving, "mlflow": mlflow}
    if settings.redis_url.get_secret_value():
        commands["stream"] = ("spx_assets.cli", "stream")
    return {name: [sys.executable, "-m", *command] for name, command in commands.items()}


def _store_of_mlflow(settings: "Settings") -> dict[str, str]:
    """As `mlflow server` tells its workers where runs and their files are."""
    return {
        "_MLFLOW_SERVER_FILE_STORE": settings.mlflow_uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": (settings.home / "mlflow" / "artifacts").as_uri(),
    }


def _from_the_start(settings: "Settings") -> dict[str, str]:
    """What the daemon watches and runs by the clock, where the home's settings leave it open: a drop folder is always there."""
    news = settings.news
    unset = {"SPX_NEWS__WATCH": news.watch is None, "SPX_NEWS__ONLINE": news.online is None and bool(news.live)}
    return {name: "true" for name, open_ in unset.items() if open_} | _of_feeds(settings)


def _of_feeds(settings: "Settings") -> dict[str, str]:
    """A simulated market goes on: inside the service, which needs no Redis for it; where there is one, beside it.

    Assets of a live feed are held to the daily rhythm; those of a standing one are never late.
    """
    from spx_assets.lake import Lake
    from spx_assets.sources import bindings

    lake = Lake.open(settings)
    bound = list(bindings.feeds(lake).values())
    lake.close()
    simulated = any(feed.provider == bindings.SIMULATOR for feed in bound) and settings.stream.source is None
    rhythm = any(feed.live for feed in bound) and "freshness" not in settings.automation.model_fields_set
    stream = {"SPX_STREAM__SOURCE": "simulator"} if simulated else {}
    return stream | ({"SPX_AUTOMATION__FRESHNESS": "true"} if rhythm else {})


def _dagster_of(settings: "Settings", port: int) -> dict[str, str]:
    """Where the service asks for trainings, unless the settings name another Dagster."""
    if "dagster_url" in settings.serving.model_fields_set:
        return {}
    return {"SPX_SERVING__DAGSTER_URL": f"http://127.0.0.1:{port}"}


def _links(settings: "Settings", ports: dict[str, int], host: str) -> dict[str, str]:
    """Where links of the Dagster UI lead, unless the settings say so."""
    # Whoever listens on every address is found by this machine's own.
    at = "127.0.0.1" if host == "0.0.0.0" else host
    links = {"mlflow": "mlflow", "dashboard": "serving"}
    told = settings.links.model_fields_set
    return {f"SPX_LINKS__{name.upper()}": f"http://{at}:{ports[port]}" for name, port in links.items() if name not in told}


def _alerts(settings: "Settings", port: int | None) -> dict[str, str]:
    """Daily work goes on, alerts are watched for and delivered, the lake is kept up, unless the settings say otherwise."""
    unset = {
        "SPX_AUTOMATION__ON": "on" not in settings.automation.model_fields_set,
        "SPX_ALERTS__ON": "on" not in settings.alerts.model_fields_set,
        "SPX_UPKEEP__ON": "on" not in settings.upkeep.model_fields_set,
    }
    watched = port is not None and "service_url" not in settings.alerts.model_fields_set
    service = {"SPX_ALERTS__SERVICE_URL": f"http://127.0.0.1:{port}"} if watched else {}
    return {name: "true" for name, open_ in unset.items() if open_} | service


def bind_if_empty(settings: "Settings") -> None:
    """A home without any feed gets the simulator, so that its graph has something to make."""
    from spx_assets.cli import demo
    from spx_assets.lake import Lake
    from spx_assets.sources import feeds

    lake = Lake.open(settings)
    if not feeds.feeds(lake):
        demo.bind_simulated(lake)
    lake.close()
