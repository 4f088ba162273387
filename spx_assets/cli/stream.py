"""`spx stream`: the stream worker of the home in use, as a process of its own."""

import typer


def stream(
    source: str | None = typer.Option(
        None, help="simulator, replay or oanda; default SPX_STREAM__SOURCE, else what the home's feed is."
    ),
    instrument: list[str] = typer.Option([], help="Only these instruments; by default every one whose feed fits."),
    candles: str | None = typer.Option(None, help="File to replay; without it, what the feed has beyond the lake."),
    speed: float | None = typer.Option(
        None, min=0.0, help="Minutes of a played market a minute of the wall's; 0: without a pause."
    ),
    bars: int | None = typer.Option(None, min=1, help="End after so many bars; by default at the source's end, or Ctrl-C."),
) -> None:
    """Take bars as they are completed: into the lake, their vectors into Redis if SPX_REDIS_URL is set."""
    import logging
    import signal

    from serving.stream.lone import run
    from spx_assets.settings import load

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asked = {"source": source, "instruments": tuple(instrument) or None, "replay": candles, "speed": speed}
    taken = run(load(), {name: value for name, value in asked.items() if value is not None}, bars=bars)
    typer.echo(f"bars\t{taken}")
