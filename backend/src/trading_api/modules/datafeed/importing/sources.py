"""Finds out what kind of file it is, by its content: names lie."""

from __future__ import annotations

from pathlib import Path

from trading_api.modules.datafeed.importing.csv_source import CsvSource
from trading_api.modules.datafeed.importing.problems import FileError
from trading_api.modules.datafeed.importing.source import Source
from trading_api.modules.datafeed.importing.steady_file import SteadyFile

PARQUET = b"PAR1"
_ENCRYPTED_PARQUET = b"PARE"
_PARQUET_NAMES = frozenset({".parquet", ".parq", ".pq"})
_OTHERS = {
    b"\x1f\x8b": "gzip-compressed; decompress it first",
    b"BZh": "bzip2-compressed; decompress it first",
    b"\xfd7zXZ\0": "xz-compressed; decompress it first",
    b"\x28\xb5\x2f\xfd": "zstd-compressed; decompress it first",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; export the sheet as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; export the sheet as CSV in UTF-8",
    b"ARROW1": "an Arrow (Feather) file; save it as Parquet or CSV",
    b"ORC": "an ORC file; save it as Parquet or CSV",
    b"SQLite format 3\0": "an SQLite database; export the table as CSV",
    b"\x89HDF": "an HDF5 file; save it as Parquet or CSV",
    b"%PDF": "a PDF; export the data as CSV in UTF-8",
    _ENCRYPTED_PARQUET: "an encrypted Parquet file; save it without encryption",
}
_LONGEST = max(map(len, _OTHERS))


def open_source(path: Path) -> Source:
    """Opens it once, so that what was looked at is what is read. Raises OSError, and FileError for what is neither CSV
    nor Parquet."""
    steady = SteadyFile(path)
    try:
        return _source_of(steady, steady.start(_LONGEST), path.suffix)
    except BaseException:
        steady.close()
        raise


def _source_of(steady: SteadyFile, start: bytes, suffix: str) -> Source:
    for magic, kind in _OTHERS.items():
        if start.startswith(magic):
            raise FileError(f"this is {kind}")
    if start.startswith(PARQUET):
        # Loading pyarrow takes as long as importing thousands of rows of CSV.
        from trading_api.modules.datafeed.importing.parquet_source import ParquetSource

        return ParquetSource(steady)
    if start and suffix.lower() in _PARQUET_NAMES and not _looks_like_text(start):
        raise FileError(f"the name ends in {suffix}, but it is no Parquet file: it does not begin with PAR1")
    return CsvSource(steady)


def _looks_like_text(start: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\r\n" for byte in start)
