"""The prediction ledger: every answer is on the disk before it is sent, and in the lake soon after.

Belongs here: recording, taking journals over into the lake, reading back what was answered. Does not: forecasts, settling
(`spx_assets.scoring.settlement`).
"""
