"""What a feature is: a pure, causal function of one-minute bars since an anchor, or of the articles known by a bar.

Belongs here: the catalog, the kernels, the batch and online paths that call them, the join with what `spx_assets.news` makes of
articles. Does not: Dagster, storage, models.
Importing this package loads nothing; `catalog` needs the standard library only, because table contracts are made from it.
"""
