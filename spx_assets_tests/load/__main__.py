"""`python -m spx_assets_tests.load PLAN`: a plan as JSON, its load as one line of JSON."""

import sys

import msgspec

from spx_assets_tests.load.clients import Plan, run

print(msgspec.json.encode(run(msgspec.json.decode(sys.argv[1], type=Plan))).decode())
