"""`spx sql`: reading statements on the lake, and `COPY ... TO`.

Belongs here: which statements are let through, and running them. Does not: printing, a shell.

The connection is meant to be read-only, which stops writes to the lake; the guard here says so in words, and stops what a
read-only connection would still do: settings, attachments, extensions, and DuckLake's functions that remove files.
"""

import re

import duckdb
import polars as pl

from spx_assets.lake.connection import Lake
from spx_assets.lake.errors import StatementError

# Table functions run inside a SELECT: those that change a lake or run SQL of their own are named here.
_REFUSED_FUNCTIONS = re.compile(
    r"\b(?:ducklake_)?(cleanup_old_files|delete_orphaned_files|expire_snapshots|merge_adjacent_files|rewrite_data_files"
    r"|flush_inlined_data|add_data_files|set_option|set_commit_message)\s*\("
    r"|\b(ducklake_commit|postgres_execute|postgres_query|sqlite_query|sqlite_attach|postgres_attach|query|query_table)\s*\(",
    re.IGNORECASE,
)
_KIND = duckdb.StatementType
_READING = {_KIND.SELECT, _KIND.EXPLAIN}
# DuckDB's own lists one schema, and here the tables lie in layers.
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
_TABLES = (
    "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_catalog = 'lake' ORDER BY name"
)
_EXPLAIN = re.compile(r"^\s*explain\s+(\(.*?\)|analyze\b)?", re.IGNORECASE | re.DOTALL)


def run(lake: Lake, text: str) -> pl.DataFrame:
    """The rows of the last statement of `text`; StatementError for anything but reading and `COPY ... TO`.

    `SHOW TABLES` gives every table as `layer.table`.
    """
    statements = check(text)
    with lake.cursor() as cursor:
        cursor.execute("USE lake")
        try:
            for statement in statements:
                cursor.execute(_TABLES if _SHOW_TABLES.fullmatch(_without_text(statement)) else statement)
            return cursor.pl()
        except duckdb.Error as error:
            raise StatementError(str(error).strip()) from error


def check(text: str) -> list[str]:
    """The statements of `text`, if all are reading ones."""
    try:
        found = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise StatementError(str(error).strip()) from error
    if not found:
        raise StatementError('nothing to run; for example `spx sql "select count(*) from bronze.candles"`')
    for statement in found:
        _check(statement.type, statement.query or text)
    return [statement.query for statement in found]


def _check(kind: duckdb.StatementType, query: str) -> None:
    name = kind.name.replace("_", " ")
    if kind not in {*_READING, _KIND.COPY}:
        raise StatementError(
            f"{name} is not a reading statement: {query.strip()}; "
            "use SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, EXPLAIN or COPY ... TO"
        )
    bare = _without_text(query)
    if kind == _KIND.COPY and not _copies_out(bare):
        raise StatementError(f"COPY ... FROM would write to the lake; only COPY ... TO is let through: {query.strip()}")
    if kind == _KIND.EXPLAIN:
        check(_EXPLAIN.sub("", query, count=1))
    if refused := _REFUSED_FUNCTIONS.search(bare):
        called = refused.group(1) or refused.group(2)
        raise StatementError(f"{called}() changes the lake or hides a statement; `spx sql` reads only")


def _without_text(query: str) -> str:
    """The query without string literals, comments and identifier quotes."""
    # tokenize() skips comments and marks where tokens begin, in bytes.
    raw, kept = query.encode(), []
    tokens = duckdb.tokenize(query)
    for (start, kind), (end, _) in zip(tokens, [*tokens[1:], (len(raw), None)], strict=True):
        token = raw[start:end].decode()
        if kind != duckdb.token_type.string_const:
            kept.append(re.sub(r"--[^\n]*|/\*.*?\*/", " ", token, flags=re.DOTALL).replace('"', ""))
    return " ".join(part.strip() for part in kept)


def _copies_out(bare: str) -> bool:
    """True if the first TO or FROM outside parentheses is TO."""
    depth = 0
    for word in re.findall(r"\(|\)|\w+", bare):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word.lower() in ("to", "from"):
            return bool(word.lower() == "to")
    return False
