from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.realworld import loader
from har_virtual.datasets.realworld.loader import REALWORLD_SITES, load_realworld
from har_virtual.datasets.realworld.videos import load_realworld_videos
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES
from har_virtual.video import write_video

SAMPLE = Path(__file__).parents[2] / "datasets" / "realworld"
NOON_MS = 1_435_993_200_000


def table(n_rows: int = 10, start_ms: int = NOON_MS) -> str:
    rows = [f"{row + 1},{start_ms + 20 * row},{row},0,9.8" for row in range(n_rows)]
    return "\n".join(["id,attr_time,attr_x,attr_y,attr_z", *rows]) + "\n"


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(home: Path, members: dict[str, str | bytes], file: str = "proband1/data/acc_walking_csv.zip") -> Path:
    path = home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(members))
    return home


def everywhere(text: str, prefix: str = "acc_walking") -> dict[str, str]:
    return {f"{prefix}_{position}.csv": text for position in REALWORLD_SITES}


def messages(home: Path, **options) -> list[str]:
    with pytest.warns(DataWarning) as caught:
        load_realworld(home, cache=False, **options)
    return [str(each.message) for each in caught]


# Placements.


def test_the_table_of_sites_cannot_be_changed():
    with pytest.raises(TypeError, match="item assignment"):
        REALWORLD_SITES["forearm"] = "right_forearm"
    assert set(REALWORLD_SITES.values()) <= set(SITES)


def test_another_table_of_sites_does_not_reach_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    put(tmp_path, everywhere(table()))
    with monkeypatch.context() as changed:
        changed.setattr(loader, "REALWORLD_SITES", {**REALWORLD_SITES, "forearm": "right_forearm"})
        changed_channels = {r.channels[0] for r in load_realworld(tmp_path)}
    assert "right_forearm_acc_x" in changed_channels
    channels = {r.channels[0] for r in load_realworld(tmp_path)}
    assert channels == {f"{site}_acc_x" for site in REALWORLD_SITES.values()}


def test_placements_do_not_reach_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    put(tmp_path, everywhere(table()))
    for site in ("right_thigh", "left_thigh", "right_thigh"):
        (recording,) = load_realworld(tmp_path, sites=site, placements={"thigh": site})
        assert recording.channels[0] == f"{site}_acc_x"


@pytest.mark.parametrize("site", ["left_sleeve", "forearm", ""])
def test_placements_are_sites_of_the_library(site: str):
    with pytest.raises(UnknownNameError, match=r"site in placements.*left_upper_arm"):
        load_realworld(SAMPLE, placements={"forearm": site}, cache=False)


# Clocks of other sensors.


def test_a_damaged_archive_of_accelerometers_does_not_lose_the_gyroscopes(tmp_path: Path):
    file = "proband1/data/gyr_walking_csv.zip"
    late = everywhere(table(), "Gyroscope_walking") | {
        "Gyroscope_walking_chest.csv": table(start_ms=NOON_MS + 100),
    }
    put(tmp_path, late, file)
    accelerometers = tmp_path / "proband1/data/acc_walking_csv.zip"
    accelerometers.write_bytes(b"PK")
    with pytest.warns(DataWarning, match=rf"{file} starts with its own first device.*damaged archive") as caught:
        recordings = load_realworld(tmp_path, quantities="gyr", cache=False)
    assert len(caught) == 1
    assert [r.start_s for r in recordings] == [pytest.approx(0.1)] + [0] * 6
    assert {r.attrs["start_unix_s"] for r in recordings} == {NOON_MS / 1000}
    with pytest.raises(DataFormatError, match="acc_walking"):
        load_realworld(tmp_path, quantities="acc", cache=False)


def test_gyroscopes_have_the_clock_of_accelerometers_that_were_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    put(tmp_path, everywhere(table(start_ms=NOON_MS + 60), "Gyroscope_walking"), "proband1/data/gyr_walking_csv.zip")
    put(tmp_path, everywhere("no table"))
    with pytest.warns(DataWarning, match="its own first device"):
        assert load_realworld(tmp_path, quantities="gyr")[0].start_s == 0
    put(tmp_path, everywhere(table()))
    assert load_realworld(tmp_path, quantities="gyr")[0].start_s == pytest.approx(0.06)


# Names of tables, and what is told.


def test_the_first_session_of_five_may_be_named_the_first(tmp_path: Path):
    home = put(tmp_path, everywhere(table(), "acc_walking_1"), "proband4/data/acc_walking_csv.zip")
    assert {r.session for r in load_realworld(home, cache=False)} == {"walking"}


@pytest.mark.parametrize(("said", "told"), [(9, False), (11, False), (8, True), (12, True), (20, True)])
def test_a_table_may_have_one_row_more_or_less_than_its_readme_says(tmp_path: Path, said: int, told: bool):
    put(tmp_path, everywhere(table(10)) | {"readMe": f"acc_walking_chest.csv\n> entries {said}\n"})
    if told:
        (message,) = messages(tmp_path)
        assert f"chest.csv has 10 rows, but its readMe says {said}: it may be cut short." in message
    else:
        # A warning would be an error.
        load_realworld(tmp_path, cache=False)


def test_of_two_lengths_that_a_readme_says_the_first_counts(tmp_path: Path):
    put(tmp_path, everywhere(table(10)) | {"readMe": "chest\n> entries 10\nchest\n> entries 500\n"})
    assert len(load_realworld(tmp_path, cache=False)) == 7


def test_a_position_that_a_second_session_lacks_is_told_with_the_session(tmp_path: Path):
    second = everywhere(table(), "acc_walking_2")
    del second["acc_walking_2_head.csv"]
    (message,) = messages(put(tmp_path, everywhere(table()) | second))
    assert "has no head in session 2, which is not known" in message


@pytest.mark.parametrize("subject", [2, 3])
def test_what_is_told_is_whole_sentences(tmp_path: Path, subject: int):
    tables = everywhere(table(), "acc_climbingup")
    del tables["acc_climbingup_forearm.csv"]
    tables |= {"acc_running_chest.csv": table(), "readMe": "head > entries 500"}
    put(tmp_path, tables, f"proband{subject}/data/acc_climbingup_csv.zip")
    put(tmp_path, everywhere(table()), "proband1/data/acc_walking_csv.zip")
    told = messages(tmp_path)
    assert len(told) == 5
    assert all(message.endswith((".", "?")) for message in told)


def test_folders_are_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put(tmp_path / "realworld", everywhere(table()))
    seen, glob = [], Path.glob

    def counted(path: Path, pattern: str):
        seen.append(path)
        return glob(path, pattern)

    monkeypatch.setattr(Path, "glob", counted)
    load_realworld(tmp_path, cache=False)
    assert sorted(seen) == [tmp_path, tmp_path / "realworld"]


# Videos.


def film(path: Path, n_images: int, **options) -> Path:
    """A film of two images a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = (np.zeros((16, 16, 3), dtype=np.uint8) for _ in range(n_images))
    return write_video(path, images, **(options or {"frame_rate_hz": 2}))


def clips_of(path: Path, **options) -> list[tuple[float, float | None]]:
    return [(clip.start_s, clip.stop_s) for clip in load_realworld_videos(path, **options)]


def test_a_chunk_that_ends_with_the_video_is_the_last(tmp_path: Path):
    film(tmp_path / "proband1/walking.mp4", 20)
    options = {"skip_s": 2, "chunk_s": 4, "min_chunk_s": 1}
    assert clips_of(tmp_path, **options) == [(2, 6), (6, None)]


def test_a_rest_as_long_as_the_shortest_clip_is_a_clip(tmp_path: Path):
    film(tmp_path / "proband1/walking.mp4", 20)
    assert clips_of(tmp_path, skip_s=0, chunk_s=6, min_chunk_s=4) == [(0, 6), (6, None)]


def test_all_clips_may_have_the_shortest_length(tmp_path: Path):
    film(tmp_path / "proband1/walking.mp4", 20)
    assert clips_of(tmp_path, skip_s=0, chunk_s=5, min_chunk_s=5) == [(0, 5), (5, None)]


def test_the_subject_nearest_to_the_file_counts(tmp_path: Path):
    film(tmp_path / "proband1/videos/proband2_walking.mp4", 60)
    assert {clip.subject for clip in load_realworld_videos(tmp_path)} == {"2"}


def test_a_video_that_says_it_lasts_for_days_is_left_out(tmp_path: Path):
    film(tmp_path / "proband1/walking.mkv", 3, timestamps_s=[0.0, 50_000.0, 100_000.0])
    film(tmp_path / "proband1/lying.mp4", 60)
    with pytest.warns(DataWarning, match=r"walking\.mkv: the container says that the video lasts 100000 s"):
        clips = load_realworld_videos(tmp_path)
    assert [clip.label for clip in clips] == ["lying"]
