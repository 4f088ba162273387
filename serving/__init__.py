"""The forecasting service: HTTP answers from the newest judged models.

Belongs here: routes, the model store, online vectors, what an answer says. Does not: training, features or labels
themselves (`spx_assets`), Dagster. Importing this package does no work.
"""
