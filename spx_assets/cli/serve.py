"""`spx serve`: the forecasting service of the home in use."""

import typer

from spx_assets.cli import memory


def serve(
    host: str | None = typer.Option(
        None, help="Address to listen on; default SPX_SERVING__HOST (127.0.0.1). Others than loopback only in production mode."
    ),
    port: int | None = typer.Option(
        None, min=0, max=65535, help="Port to listen on; default SPX_SERVING__PORT (8000); 0 takes a free one."
    ),
    workers: int | None = typer.Option(None, min=1, help="Processes that answer; default SPX_SERVING__WORKERS (1)."),
) -> None:
    """Serve the newest judged models over HTTP: POST /predict, /models, /health, /docs."""
    memory.allocator(memory.GIVES_BACK)
    from serving.run import serve as run
    from spx_assets.settings import load

    settings = load()
    run(
        settings,
        host=host or settings.serving.host,
        port=settings.serving.port if port is None else port,
        workers=workers or settings.serving.workers,
    )
