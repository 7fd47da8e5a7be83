"""A recording as one Parquet file, which other programs can read, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError
from har_virtual.files import atomic_path
from har_virtual.recording.units import UNITS, channel_quantity

if TYPE_CHECKING:
    import pyarrow as pa

    from har_virtual.recording.recording import Recording

_KEY = b"har_virtual"
_FIELDS = ("sampling_rate_hz", "start_s", "subject", "session", "domain", "dataset", "attrs")
# Rows written at once, so that a long recording is not held twice.
_BLOCK = 1 << 16


def write(recording: Recording, path: Path, *, where: str) -> Path:
    """Write all of a recording, called `where` in messages; an error leaves the file as it was."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    one_label = np.ndim(recording.labels) == 0
    fields = {name: getattr(recording, name) for name in _FIELDS} | {
        "channels": recording.channels,
        "units": {c: UNITS[q] for c in recording.channels if (q := channel_quantity(c))},
        "labels": recording.labels if one_label else None,
        "label_per_sample": not one_label,
        "annotations": list(recording.annotations),
    }
    try:
        metadata = {_KEY: json.dumps(fields).encode()}
        frame = recording.to_dataframe()
        # So that pandas alone shows units and fields, too.
        frame.attrs = {_KEY.decode(): json.loads(metadata[_KEY])}
        schema = pa.Schema.from_pandas(frame, preserve_index=True)
        schema = schema.with_metadata((schema.metadata or {}) | metadata)
        numbers = {field.name for field in schema if pa.types.is_floating(field.type)}
        others = [field.name for field in schema if field.name not in numbers]
        with (
            atomic_path(path) as temporary,
            # Numbers of a sensor hardly repeat: neither a dictionary nor compression is worth its time at reading.
            pq.ParquetWriter(temporary, schema, compression="none", use_dictionary=others) as writer,
        ):
            for start in range(0, max(len(frame), 1), _BLOCK):
                writer.write_table(pa.Table.from_pandas(frame.iloc[start : start + _BLOCK], schema=schema))
    except (TypeError, pa.ArrowException) as error:
        raise DataFormatError(f"{where} cannot be written to {path}: {error}.") from error
    return path


def read(path: Path) -> dict[str, Any]:
    """Give the fields of a recording that `write` wrote; any other file raises `DataFormatError`."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except pa.ArrowInvalid as error:
        raise DataFormatError(f"{path} is no Parquet file ({error}); Recording.save writes one.") from error
    if _KEY not in metadata:
        raise DataFormatError(f"{path} was not written by Recording.save; use Recording.from_dataframe.")
    fields: dict[str, Any] = json.loads(metadata[_KEY])
    fields.pop("units")
    channels, one_a_sample = fields["channels"], fields.pop("label_per_sample")
    tracks = (["label"] if one_a_sample else []) + fields["annotations"]
    # polars puts columns side by side several times faster than anything else at hand.
    data = pl.read_parquet(path, columns=channels).to_numpy(order="c") if channels else None
    table = pq.read_table(path, columns=tracks or ["time_s"], read_dictionary=tracks)
    labels = {name: _track(table.column(name)) for name in tracks}
    if one_a_sample:
        fields["labels"] = labels.pop("label")
    data = np.empty((len(table), 0), dtype=np.float32) if data is None else data
    data.flags.writeable = False
    return fields | {"data": data, "annotations": labels}


def _track(column: pa.ChunkedArray) -> np.ndarray | pd.Categorical:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        encoded = column.unify_dictionaries().combine_chunks()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return pd.Categorical.from_codes(codes, encoded.dictionary.to_pylist())
    values: np.ndarray = column.to_pandas().to_numpy()
    return values
