"""Where candles come from: one module a provider, one row frame between them and the lake.

Belongs here: reading providers and files into rows, binding instruments to them, setting bad rows aside. Does not:
features, anything that knows Dagster.

Order of the modules: a provider (`simulator`, `files`, `oanda`, `dukascopy`) yields *rows* (`rows.ROWS`: one minute a row,
unreadable cells null), `quality.split` divides them into candles and quarantine, `feeds` binds, keeps and replays them.
"""
