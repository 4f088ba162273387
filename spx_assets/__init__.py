"""spx-assets: intraday S&P 500 forecasting as partitioned Dagster assets over a DuckLake.

Belongs here: the base class of every error a caller can act on. Importing this package does no work.
"""


class SpxError(Exception):
    """A failure with a remedy. The message names the thing, its value and what to do; the CLI prints it as one line."""
