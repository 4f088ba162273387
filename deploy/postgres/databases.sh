#!/bin/sh
# Once, in a new cluster: one database each for Dagster, MLflow and the catalog of the lake.
set -eu
for name in dagster mlflow lake; do
  createdb --username "$POSTGRES_USER" "$name"
done
