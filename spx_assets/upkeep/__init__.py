"""Keeping a home up: what is kept for how long, backups, and what an operator should know.

Belongs here: retention, which snapshots outlive their age, backup and restore, checks of a home. Does not: the lake's own steps
(`lake.maintenance`, `lake.retention`), when they run (`automation.upkeep`).
"""
