"""The dashboard: one page at `/`, what it loads, and the numbers of its panels.

Belongs here: the page (`page`), its files (`files`), the routes its scripts ask (`routes`), one module a panel. Does not: any
number of its own: forecasts, outcomes and metrics are those of the other rooms, put side by side.
"""
