"""The online path: bars as they are completed, their vectors, and who is told of them.

Belongs here: the worker, its in-memory history, the online store, the hub and its sockets. Does not: where bars come from
(`spx_assets.sources`), what is forecast from a vector (`serving.service`). Importing this package does no work.
"""
