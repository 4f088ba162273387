"""Where a lake's catalog and data are, and how DuckDB attaches them.

Belongs here: from settings to paths, secrets and the ATTACH statement. Does not: connections kept open, tables.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from spx_assets.lake import extensions
from spx_assets.lake.errors import LakeError
from spx_assets.settings import LakeSettings, Settings

POSTGRES_PREFIXES = ("postgres://", "postgresql://")
_SECRET_FIELDS = {"host": "HOST", "port": "PORT", "dbname": "DATABASE", "user": "USER", "password": "PASSWORD"}


def literal(text: str) -> str:
    """`text` as an SQL string; for statements such as ATTACH that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Location:
    """One lake: `catalog` is a SQLite path or a Postgres URL, `data` a folder or `s3://bucket/prefix`."""

    catalog: str
    data: str
    movable: bool
    settings: LakeSettings

    @classmethod
    def of(cls, settings: Settings) -> "Location":
        lake = settings.lake
        folder = settings.home / "lake"
        catalog = lake.catalog or str(folder / "catalog.sqlite")
        if not catalog.startswith(POSTGRES_PREFIXES):
            catalog = str((settings.home / Path(catalog).expanduser()).absolute())
        data = lake.data or str(folder / "data")
        if not data.startswith("s3://"):
            data = str((settings.home / Path(data).expanduser()).absolute())
        # A home may be moved or mounted elsewhere: file names are relative to the data path, and the catalog moves with it.
        return cls(catalog, data.rstrip("/"), movable=not lake.catalog and not lake.data, settings=lake)

    @property
    def postgres(self) -> bool:
        return self.catalog.startswith(POSTGRES_PREFIXES)

    @property
    def s3(self) -> bool:
        return self.data.startswith("s3://")

    @property
    def metadata_schema(self) -> str:
        """Qualified schema of DuckLake's own catalog tables in an attached connection."""
        return f"__ducklake_metadata_lake.{'public' if self.postgres else 'main'}"

    @cached_property
    def dsn(self) -> dict[str, str]:
        """libpq parameters of a Postgres catalog."""
        import psycopg2.extensions  # 6 MB that a SQLite catalog does not need

        try:
            return {key: str(value) for key, value in psycopg2.extensions.parse_dsn(self.catalog).items()}
        except psycopg2.ProgrammingError as error:
            raise LakeError(
                "SPX_LAKE__CATALOG is not a Postgres URL; write postgresql://user:password@host:5432/database"
            ) from error

    @property
    def name(self) -> str:
        """The catalog in words, without its password."""
        if not self.postgres:
            return self.catalog
        return f"postgresql://{self.dsn.get('host', 'localhost')}:{self.dsn.get('port', '5432')}/{self.dsn.get('dbname', '')}"

    @property
    def key(self) -> str:
        """Digest of catalog and data: equal for the same lake."""
        return hashlib.sha256(f"{self.catalog}\0{self.data}".encode()).hexdigest()

    @property
    def extensions(self) -> tuple[str, ...]:
        """The DuckDB extensions it needs."""
        return ("ducklake", "postgres_scanner" if self.postgres else "sqlite_scanner", *(("httpfs",) if self.s3 else ()))

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Load the extensions and secrets that `attach` needs. Secrets live in this process's memory only."""
        for name in self.extensions:
            extensions.load(connection, name)
        if self.postgres:
            fields = [f"{_SECRET_FIELDS[k]} {literal(v)}" for k, v in self.dsn.items() if k in _SECRET_FIELDS]
            connection.execute(f"CREATE OR REPLACE SECRET spx_catalog (TYPE postgres, {', '.join(fields)})")
        if self.s3:
            connection.execute(self._s3_secret())

    def _s3_secret(self) -> str:
        lake = self.settings
        fields = [f"REGION {literal(lake.s3_region)}", f"USE_SSL {str(lake.s3_use_ssl).lower()}"]
        if lake.s3_access_key_id:
            fields.append(f"KEY_ID {literal(lake.s3_access_key_id)}")
            fields.append(f"SECRET {literal(lake.s3_secret_access_key.get_secret_value())}")
        if lake.s3_endpoint:
            fields += [f"ENDPOINT {literal(lake.s3_endpoint)}", "URL_STYLE 'path'"]
        return f"CREATE OR REPLACE SECRET spx_data (TYPE s3, {', '.join(fields)}, SCOPE {literal(self.data)})"

    def attach(self, *, read_only: bool) -> str:
        """The ATTACH statement, as database `lake`."""
        options = [f"DATA_PATH {literal(self.data + '/')}"]
        if self.movable:
            options.append("OVERRIDE_DATA_PATH true")
        if read_only:
            options.append("READ_ONLY")
        if self.postgres:
            rest = " ".join(f"{k}={v}" for k, v in self.dsn.items() if k not in _SECRET_FIELDS)
            options.append("META_SECRET 'spx_catalog'")
            return f"ATTACH {literal('ducklake:postgres:' + rest)} AS lake ({', '.join(options)})"
        if not read_only:
            # WAL: readers go on during a commit; the rollback journal locks them out.
            options.append("META_JOURNAL_MODE 'WAL'")
        return f"ATTACH {literal('ducklake:sqlite:' + self.catalog)} AS lake ({', '.join(options)})"

    @cached_property
    def storage_options(self) -> dict[str, str] | None:
        """How polars reaches the data; None for a folder."""
        if not self.s3:
            return None
        lake = self.settings
        options = {"aws_region": lake.s3_region}
        if lake.s3_access_key_id:
            options["aws_access_key_id"] = lake.s3_access_key_id
            options["aws_secret_access_key"] = lake.s3_secret_access_key.get_secret_value()
        if lake.s3_endpoint:
            scheme = "https" if lake.s3_use_ssl else "http"
            options |= {"aws_endpoint_url": f"{scheme}://{lake.s3_endpoint}", "aws_virtual_hosted_style_request": "false"}
            options["aws_allow_http"] = str(not lake.s3_use_ssl).lower()
        return options
