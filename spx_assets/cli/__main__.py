"""`python -m spx_assets.cli`: the `spx` command without its console script."""

from spx_assets.cli import main

main()
