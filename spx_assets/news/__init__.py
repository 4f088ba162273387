"""News: which articles there are, how they sound, what they say at each bar.

Belongs here: identity of articles, sentiment models, signal windows; functions from frames to frames. Does not: reading
providers (`sources`), Dagster.
"""
