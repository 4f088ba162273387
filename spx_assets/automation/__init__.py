"""What starts runs: jobs, backfills from the command line, and where the Dagster instance keeps its state.

Belongs here: which assets to make for which weeks, and asking Dagster for it. Does not: asset bodies, arithmetic.
"""
