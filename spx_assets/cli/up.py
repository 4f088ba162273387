"""`spx up`: Dagster UI and daemon, the forecasting service and the MLflow UI of one home, ended together."""

import typer


def up(
    port: int = typer.Option(3000, help="Dagster UI; the next free port above it if taken."),
    serving_port: int | None = typer.Option(None, help="Forecasting service; default SPX_SERVING__PORT (8000)."),
    mlflow_port: int = typer.Option(5001, help="MLflow UI."),
) -> None:
    """Start the Dagster UI, the daemon, the service and the MLflow UI for the home in use; Ctrl-C stops all."""
    import signal
    import sys
    import time
    from pathlib import Path

    from spx_assets.automation import instance
    from spx_assets.cli import processes
    from spx_assets.cli.processes import ProcessError
    from spx_assets.settings import load

    settings = load()
    instance.place(settings)
    # A stop from outside (docker, a supervisor) ends the children as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    ports = {
        "dagster": processes.free_port(port),
        "serving": processes.free_port(serving_port or settings.serving.port),
        "mlflow": processes.free_port(mlflow_port),
    }
    _bind_if_empty()
    Path(settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    bin_dir = Path(sys.executable).parent
    commands = {
        "dagster": [str(bin_dir / "dagster"), "dev", "-w", str(instance.ROOT / "workspace.yaml"), "-p", str(ports["dagster"])],
        "serving": [sys.executable, "-m", "spx_assets.cli", "serve", "--port", str(ports["serving"])],
        "mlflow": [
            str(bin_dir / "mlflow"),
            "server",
            *("--backend-store-uri", settings.mlflow_uri),
            *("--default-artifact-root", (settings.home / "mlflow" / "artifacts").as_uri()),
            *("--port", str(ports["mlflow"])),
        ],
    }
    env = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "DAGSTER_DISABLE_TELEMETRY": "yes"}
    children = {name: processes.start(command, env=env) for name, command in commands.items()}
    try:
        for name, path in {"serving": "/health", "mlflow": "/health", "dagster": "/server_info"}.items():
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


def _bind_if_empty() -> None:
    """A home without any feed gets the simulator, so that its graph has something to make."""
    from spx_assets.lake import Lake
    from spx_assets.settings import load
    from spx_assets.sources import feeds

    lake = Lake.open(load())
    if not feeds.feeds(lake):
        feeds.bind_simulator(lake, "SPX500_USD")
    lake.close()
