"""What a feature is: a pure, causal function of one-minute bars since an anchor.

Belongs here: the catalog, the kernels, and the batch and online paths that call them. Does not: Dagster, storage, models.
Importing this package loads nothing; `catalog` needs the standard library only, because table contracts are made from it.
"""
