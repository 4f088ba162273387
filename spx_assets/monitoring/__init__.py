"""Drift, performance and alerts.

Belongs here: statistics of what is served, and telling people of them. Does not: assets, sensors, anything of Dagster.
"""
