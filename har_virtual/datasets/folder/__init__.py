"""Anybody's own CSV and Parquet files as recordings."""

from har_virtual.datasets.folder.loader import FolderDataSet, load_folder

__all__ = [
    "FolderDataSet",
    "load_folder",
]
