"""Opening a file of candles as a table: Parquet, CSV, JSON lines in OANDA shape, HistData ASCII and its zip.

Belongs here: bytes to a frame of cells as they stand in the file, one numbered row a record. Does not: what the cells mean
(`columns`), whether they are candles (`quality`).
"""

import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from spx_assets.sources.errors import FileUnreadableError, NotMinuteBarsError
from spx_assets.sources.stamps import EST

KINDS = ".parquet, .csv, .txt, .tsv, .json, .ndjson, .jsonl, .zip, or one of these with .gz"
EXTRA = "more cells than columns"
_HISTDATA_LINE = re.compile(rb"^\d{8} \d{6};[\d.]+;")
_HISTDATA_NAME = re.compile(r"DAT_ASCII_([A-Z0-9]+)_M1_", re.IGNORECASE)
_HISTDATA_COLUMNS = ["time", "open", "high", "low", "close", "volume"]
_UNREADABLE = (pl.exceptions.PolarsError, OSError, EOFError, zipfile.BadZipFile, msgspec.DecodeError, UnicodeDecodeError)


@dataclass(frozen=True)
class Table:
    """Cells of one file; `tz` and `symbol` where the format fixes them.

    A column `line` numbers its records from 0. `EXTRA` holds the first cell of a record that the header has no column for.
    """

    frame: pl.DataFrame
    symbol: str | None = None
    tz: str | None = None


def read(path: Path, *, name: str) -> Table:
    """The table in `path`, a file the user knows as `name`. FileUnreadableError, or NotMinuteBarsError for hourly files."""
    try:
        table = _read(path, Path(name))
    except _UNREADABLE as error:
        raise FileUnreadableError(
            f"{name} cannot be read ({_first_line(error)}); check that it is whole and of its kind"
        ) from error
    if table.frame.height == 0:
        raise FileUnreadableError(f"{name} holds no rows")
    if "granularity" in table.frame.columns:
        found = {str(value) for value in table.frame["granularity"].drop_nulls().unique()} - {"M1"}
        if found:
            raise NotMinuteBarsError(
                f"{name} holds {', '.join(sorted(found))} candles; only one-minute candles (M1) can be imported"
            )
    extra = {} if EXTRA in table.frame.columns else {EXTRA: pl.lit(None, pl.String)}
    return Table(table.frame.with_row_index("line").cast({"line": pl.Int64}).with_columns(**extra), table.symbol, table.tz)


def _read(path: Path, name: Path) -> Table:
    suffix = name.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return Table(pl.read_parquet(path))
    data = path.read_bytes()
    if suffix == ".gz":
        data, name = gzip.decompress(data), name.with_suffix("")
        suffix = name.suffix.lower()
    if suffix == ".zip":
        return _zip(data, name)
    if suffix in (".json", ".ndjson", ".jsonl"):
        return Table(_json(data))
    if suffix in (".csv", ".txt", ".tsv"):
        return _csv(data, name)
    raise FileUnreadableError(f"{name} is of an unknown kind {suffix!r}; import {KINDS}")


def _zip(data: bytes, name: Path) -> Table:
    """The one .csv of a zip archive; HistData puts a report beside it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [m for m in archive.namelist() if Path(m).suffix.lower() == ".csv"]
        if len(members) != 1:
            raise FileUnreadableError(f"{name} holds {len(members)} .csv files {members}; import an archive of exactly one")
        return _csv(archive.read(members[0]), Path(members[0]))


def _csv(data: bytes, name: Path) -> Table:
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if b"\0" in data[:4096]:
        raise FileUnreadableError(f"{name} is not text; save it as UTF-8 CSV")
    histdata = bool(_HISTDATA_LINE.match(data))
    line, _, rest = data.partition(b"\n")
    separator = max((";", ",", "\t", "|"), key=lambda mark: line.count(mark.encode()))
    if histdata:
        line, rest = ";".join(_HISTDATA_COLUMNS[: line.count(b";") + 1]).encode(), data
    frame = pl.read_csv(
        line.rstrip(b"\r") + f"{separator}{EXTRA}\n".encode() + rest,
        separator=separator,
        infer_schema=False,
        truncate_ragged_lines=True,
        encoding="utf8-lossy",
    )
    frame = frame.rename({column: column.strip(" <>") for column in frame.columns})
    symbol = _HISTDATA_NAME.search(name.name)
    return Table(frame, symbol[1].upper() if symbol else None, EST if histdata else None)


def _json(data: bytes) -> pl.DataFrame:
    """Candles of v20 answers or of single lines; a line that is not JSON stays as a row with only its text."""
    records = list(_records(data))
    names = dict.fromkeys(key for record in records for key in record)
    columns = {name: [record.get(name) for record in records] for name in names}
    return pl.DataFrame({name: pl.Series(name, values, strict=False, dtype=_dtype(values)) for name, values in columns.items()})


def _records(data: bytes) -> Iterator[dict[str, Any]]:
    lines = [line for line in data.splitlines() if line.strip()]
    try:
        whole = [msgspec.json.decode(data)] if data.strip() else []
    except msgspec.DecodeError:
        whole = [_line(line) for line in lines]
    for item in whole:
        for entry in item if isinstance(item, list) else [item]:
            yield from _candles(entry)


def _line(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {"text": line.decode("utf-8", "replace")}


def _candles(entry: Any) -> Iterator[dict[str, Any]]:
    """The flat records of one JSON value: an answer with a list `candles`, one candle, or any flat object."""
    if not isinstance(entry, dict):
        yield {"text": str(entry)}
        return
    shared = {key: entry[key] for key in ("instrument", "granularity") if key in entry}
    for candle in entry["candles"] if isinstance(entry.get("candles"), list) else [entry]:
        flat = dict(shared)
        for key, value in candle.items() if isinstance(candle, dict) else [("text", str(candle))]:
            if key in ("bid", "mid", "ask") and isinstance(value, dict):
                flat |= {f"{key}_{field}": cell for field, cell in value.items()}
            else:
                flat[key] = value
        yield flat


def _dtype(values: list[Any]) -> pl.DataType:
    """Text unless every cell is a number or every cell is a truth value."""
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return pl.Boolean()
    numeric = present and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present)
    return pl.Float64() if numeric else pl.String()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
