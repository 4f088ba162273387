#!/bin/sh
# What every container of ours goes through: nothing open to others starts without its secrets.
set -eu
if [ "${SPX_SERVING__MODE:-production}" = production ]; then
  for name in POSTGRES_PASSWORD SPX_SERVING__SECRET; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || { echo "$name is empty and the mode is production: fill it in .env (see .env.example)" >&2; exit 1; }
  done
fi
exec "$@"
