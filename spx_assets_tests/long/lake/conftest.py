"""The same lakes as the short suite's."""

from spx_assets_tests.integration.lake.conftest import any_settings, catalog
from spx_assets_tests.postgres import postgres_server, postgres_url

__all__ = ["any_settings", "catalog", "postgres_server", "postgres_url"]
