"""A recording as one Parquet file: a column a channel, which other programs can read, too, or packed, for caches."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError
from har_virtual.files import atomic_path
from har_virtual.recording.units import UNITS, channel_quantity

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from har_virtual.recording.recording import Recording

_KEY = b"har_virtual"
_PACKED = "packed"
_FIELDS = ("sampling_rate_hz", "start_s", "subject", "session", "domain", "dataset", "attrs")
# Rows written and read at once, so that a long recording is not held twice.
_BLOCK = 1 << 14


def write(recording: Recording, path: Path, *, where: str, packed: bool = False) -> Path:
    """Write all of a recording, called `where` in messages; an error leaves the file as it was.

    Packed, all channels are one column of bytes, as they lie in memory: read several times faster, by `read` only.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    one_label = np.ndim(recording.labels) == 0
    fields = {name: getattr(recording, name) for name in _FIELDS} | {
        "channels": recording.channels,
        "units": {c: UNITS[q] for c in recording.channels if (q := channel_quantity(c))},
        "labels": recording.labels if one_label else None,
        "label_per_sample": not one_label,
        "annotations": list(recording.annotations),
        "checksum": _checksum(recording.data) if packed else None,
        "text": [name for name, track in _own_tracks(recording).items() if track.dtype.kind == "U"],
    }
    try:
        tracks = _tracks(recording, packed)
        schema = _schema(recording, tracks, json.dumps(fields), packed)
        with (
            atomic_path(path) as temporary,
            # Numbers of a sensor hardly repeat: neither a dictionary nor compression is worth its time at reading.
            pq.ParquetWriter(
                temporary,
                schema,
                compression="none",
                use_dictionary=list(tracks),
                write_statistics=list(tracks),
                write_page_checksum=True,
                # Gives back what it no longer needs, unlike the default one.
                memory_pool=pa.system_memory_pool(),
            ) as writer,
        ):
            for start in range(0, max(len(recording), 1), _BLOCK):
                rows = slice(start, start + _BLOCK)
                numbers = (_packed if packed else _columns)(recording.data[rows])
                others = [track[rows] for track in tracks.values()]
                writer.write_table(pa.Table.from_arrays([*numbers, *others], schema=schema))
    except (TypeError, pa.ArrowException) as error:
        raise DataFormatError(f"{where} cannot be written to {path}: {error}.") from error
    return path


def _columns(data: np.ndarray) -> list[pa.Array]:
    import pyarrow as pa

    return [pa.array(column) for column in np.ascontiguousarray(data.T)]


def _packed(data: np.ndarray) -> list[pa.Array]:
    """Rows as bytes, without a copy; nothing if they have none."""
    import pyarrow as pa

    if not data.shape[1]:
        return []
    return [pa.Array.from_buffers(pa.binary(data.strides[0]), len(data), [None, pa.py_buffer(data)])]


def _own_tracks(recording: Recording) -> dict[str, np.ndarray]:
    return ({"label": recording.labels} if np.ndim(recording.labels) else {}) | dict(recording.annotations)


def _tracks(recording: Recording, packed: bool) -> dict[str, pa.Array]:
    """Everything of a recording that is one value a sample and no channel."""
    import pyarrow as pa

    label = {} if recording.labels is None or packed else {"label": recording.track()}
    tracks = label | _own_tracks(recording) | ({} if packed and recording.channels else {"time_s": recording.times_s})
    return {
        name: pa.array(values, from_pandas=True, memory_pool=pa.system_memory_pool()) for name, values in tracks.items()
    }


def _schema(recording: Recording, tracks: dict[str, pa.Array], fields: str, packed: bool) -> pa.Schema:
    """Types of the columns, and metadata with which pandas alone shows units and fields, too."""
    import pyarrow as pa

    labels = recording.labels if np.ndim(recording.labels) == 0 else recording.labels[:0]
    annotations = {name: values[:0] for name, values in recording.annotations.items()}
    frame = replace(recording, data=recording.data[:0], labels=labels, annotations=annotations).to_dataframe()
    frame.attrs = {_KEY.decode(): json.loads(fields)}
    metadata = (pa.Schema.from_pandas(frame, preserve_index=True).metadata or {}) | {_KEY: fields.encode()}
    # A hole is NaN, not null: then the numbers lie in the file as they do in memory.
    numbers = [pa.field(channel, pa.float32(), nullable=False) for channel in recording.channels]
    if packed and numbers:
        numbers = [pa.field(_PACKED, pa.binary(4 * len(numbers)), nullable=False)]
    return pa.schema([*numbers, *(pa.field(name, track.type) for name, track in tracks.items())], metadata)


def read(path: Path) -> dict[str, Any]:
    """Give the fields of a recording that `write` wrote; any other file raises `DataFormatError`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(path)
    except pa.ArrowInvalid as error:
        raise DataFormatError(f"{path} is no Parquet file ({error}); Recording.save writes one.") from error
    if _KEY not in (footer.metadata or {}):
        raise DataFormatError(f"{path} was not written by Recording.save; use Recording.from_dataframe.")
    fields: dict[str, Any] = json.loads(footer.metadata[_KEY])
    fields.pop("units")
    channels, one_a_sample = fields["channels"], fields.pop("label_per_sample")
    names = (["label"] if one_a_sample else []) + fields["annotations"]
    data = np.empty((footer.num_rows, len(channels)), dtype=np.float32)
    try:
        tracks = _read_blocks(path, footer, data, channels, names)
    except (OSError, pa.ArrowException) as error:
        raise DataFormatError(f"{path} is damaged: {error}.") from error
    if fields.pop("checksum", None) not in (None, _checksum(data)):
        raise DataFormatError(f"{path} is damaged: its numbers are not those that were written.")
    data.flags.writeable = False
    whole_text = fields.pop("text", ())
    labels = {name: _track(tracks.column(name), name in whole_text) for name in names}
    if one_a_sample:
        fields["labels"] = labels.pop("label")
    return fields | {"data": data, "annotations": labels}


def _read_blocks(
    path: Path, footer: pq.FileMetaData, data: np.ndarray, channels: list[str], tracks: list[str]
) -> pa.Table:
    """Fill `data` block by block, and give the tracks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = _PACKED in footer.schema.names
    # Parquet's own checksum takes longer than all else, so that packed numbers have one of ours.
    with pq.ParquetFile(path, metadata=footer, page_checksum_verification=not packed) as file:
        start = 0
        for number in range(file.num_row_groups):
            block = file.read_row_group(number, columns=[_PACKED] if packed else channels, use_threads=False)
            rows, start = data[start : start + len(block)], start + len(block)
            if packed:
                _unpack(block.column(0), rows)
            for column, values in enumerate([] if packed else block.columns):
                rows[:, column] = values
    if not tracks:
        return pa.table({})
    with pq.ParquetFile(path, metadata=footer, read_dictionary=tracks, page_checksum_verification=True) as file:
        return file.read(tracks, use_threads=False)


def _checksum(data: np.ndarray) -> int:
    """Changes with any bit of the numbers; piece by piece, for then a piece stays in the processor."""
    words = data.reshape(-1).view(np.uint32)
    pieces = [np.bitwise_xor.reduce(words[start : start + _BLOCK]) for start in range(0, len(words), _BLOCK)]
    return int(np.bitwise_xor.reduce(pieces, dtype=np.uint32)) if pieces else 0


def _unpack(packed: pa.ChunkedArray, rows: np.ndarray) -> None:
    start, width = 0, rows.shape[1]
    for chunk in packed.chunks:
        first, last = chunk.offset * width, (chunk.offset + len(chunk)) * width
        values = np.frombuffer(chunk.buffers()[1], np.float32, last)[first:]
        rows[start : start + len(chunk)] = values.reshape(len(chunk), width)
        start += len(chunk)


def _track(column: pa.ChunkedArray, whole_text: bool) -> np.ndarray | pd.Categorical:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        encoded = column.unify_dictionaries().combine_chunks()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        names = encoded.dictionary.to_pylist()
        return np.array(names)[codes] if whole_text else pd.Categorical.from_codes(codes, names)
    values: np.ndarray = column.to_pandas().to_numpy()
    return values
