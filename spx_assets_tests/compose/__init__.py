"""The containers, tried for real: `make compose-test`.

Belongs here: starting the compose file under a project name of its own, and what it must do there. Does not: tests of the parts,
which need no engine.
"""
