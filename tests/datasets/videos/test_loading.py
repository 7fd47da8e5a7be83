"""Annotations of any collection become clips of the videos that are there, and a table of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_collection import FILE, LABELS, NOTES, TinyCollection

from har_virtual.datasets import survey_dataset
from har_virtual.datasets.videos import list_videos, load_videos
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.recording import VideoClip
from har_virtual.testing import check_video_collection
from har_virtual.video import write_video

TINY = TinyCollection()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "Tiny"
    folder.mkdir()
    (folder / FILE).write_text(NOTES, encoding="utf-8")
    return folder


def put(path: Path, seconds: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (np.full((32, 32, 3), number % 200, dtype=np.uint8) for number in range(int(seconds * 10)))
    write_video(path, frames, frame_rate_hz=10)
    return path


@pytest.fixture
def with_videos(home: Path) -> Path:
    put(home / "films" / "a.mp4", 14)
    put(home / "c_1.MP4", 2)
    put(home / "b.mp4", 3)
    return home


def load(home, **options):
    return load_videos(TINY, home, labels=LABELS, **options)


def test_a_small_third_party_s_collection_passes_the_battery_with_and_without_videos(with_videos, tmp_path):
    check_video_collection(TINY, with_videos, labels=LABELS)
    check_video_collection(TINY, with_videos, labels="own")
    (tmp_path / "none").mkdir()
    check_video_collection(TINY, with_videos, labels=LABELS, videos=tmp_path / "none")


def test_a_clip_is_the_annotated_stretch_of_its_video(with_videos):
    clips = load(with_videos)
    films = with_videos / "films" / "a.mp4"
    assert clips == [
        VideoClip(films, 2.0, 7.5, "walking", "p1", "tiny_videos"),
        VideoClip(with_videos / "b.mp4", 0.0, None, "ironing"),
        VideoClip(with_videos / "c_1.MP4", 0.0, None, "walking", "p2", "tiny_videos"),
        VideoClip(films, 10.0, 12.0, "ironing", "p1", "tiny_videos"),
    ]


def test_a_file_that_holds_the_stretch_alone_is_preferred_and_taken_whole(with_videos):
    put(with_videos / "a_10.mp4")
    assert [(clip.path.name, clip.start_s, clip.stop_s) for clip in load(with_videos, activities="ironing")] == [
        ("b.mp4", 0.0, None),
        ("a_10.mp4", 0.0, None),
    ]


def test_the_folder_above_is_taken_and_videos_may_lie_elsewhere(home, tmp_path):
    put(tmp_path / "elsewhere" / "deep" / "b.avi")
    with pytest.warns(DataWarning, match="lacks 2 of the videos"):
        (clip,) = load(home.parent, videos=tmp_path / "elsewhere")
    assert clip.path == tmp_path / "elsewhere" / "deep" / "b.avi"


def test_videos_beside_the_home_are_found(home):
    put(home.parent / "films" / "b.mp4")
    (clip,) = load(home.parent, activities="ironing", splits="train", min_length_s=2.5)
    assert clip.path == home.parent / "films" / "b.mp4"


def test_stretches_that_are_too_short_are_left_out_and_those_of_unknown_length_are_not(home):
    table = list_videos(TINY, home, labels=LABELS, min_length_s=2.5)
    assert table["video"].tolist() == ["a", "b"]
    with pytest.raises(DataFormatError, match="no annotation of activities walking"):
        list_videos(TINY, home, labels=LABELS, activities="walking", min_length_s=6)


def test_missing_videos_are_one_warning_and_rows_of_the_table_without_a_path(home):
    put(home / "b.mp4")
    with pytest.warns(DataWarning, match=r"lacks 2 of the videos of tiny_videos .*: a, c\. list_videos") as caught:
        assert len(load(home)) == 1
    assert len(caught) == 1
    table = list_videos(TINY, home, labels=LABELS)
    assert table["path"].tolist() == [None, home / "b.mp4", None, None]
    assert table["address"][0] == "https://videos.example/a"


def test_no_video_at_all_is_an_error_that_names_the_first(home):
    with pytest.raises(VideoError, match=r"has none of the 3 videos .* such as a, b, c\. .*videos= tells where"):
        load(home)


def test_own_labels_give_all_classes_and_a_mapping_only_its_own(with_videos):
    own = list_videos(TINY, with_videos, labels="own")
    assert own["label"].tolist() == ["walk_slowly", "iron", "walk_slowly", "sing", "iron"]
    assert list_videos(TINY, with_videos, labels={"sing": "choir"})["label"].tolist() == ["choir"]


def test_classes_of_another_table_are_checked_before_anything_is_read(home):
    (home / FILE).write_text("broken", encoding="utf-8")
    with pytest.raises(UnknownNameError, match="class: There is no dance; there is walk_slowly, iron, sing"):
        load_videos(TINY, home, labels={"dance": "dancing"})


def test_a_clip_that_ends_before_it_starts_is_an_error_with_its_line_or_left_out(with_videos):
    (with_videos / FILE).write_text(NOTES + "a,iron,9,3,p1,train\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"notes\.csv, line 6: the clip of a starts at 9 s and ends at 3 s"):
        load(with_videos)
    with pytest.warns(DataWarning, match="An annotation was left out: .*line 6"):
        assert len(load(with_videos, errors="warn")) == 4


@pytest.mark.parametrize(("start", "stop"), [("-1", "2"), ("nan", "2"), ("1", "nan"), ("1", "1")])
def test_a_stretch_that_is_none_is_an_error(home, start, stop):
    (home / FILE).write_text(f"a,iron,{start},{stop},,\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 1: the clip of a starts at"):
        list_videos(TINY, home, labels=LABELS)


def test_a_line_that_cannot_be_read_is_left_out_with_errors_warn(with_videos):
    (with_videos / FILE).write_text("what\n" + NOTES, encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 1: 1 fields, not 6"):
        load(with_videos)
    with pytest.warns(DataWarning, match="line 1: 1 fields"):
        assert len(load(with_videos, errors="warn")) == 4


def test_nothing_of_what_was_asked_for_is_an_error_that_says_what_it_was(home):
    with pytest.raises(DataFormatError, match="no annotation of activities ironing; splits test there"):
        load(home, activities="ironing", splits="test")


def test_subjects_are_those_of_the_annotations(with_videos):
    assert [clip.subject for clip in load(with_videos, subjects=["p2"])] == ["p2"]
    with pytest.raises(UnknownNameError, match="There is no p3; there is p1, p2"):
        load(with_videos, subjects="p3")


def test_a_folder_of_videos_that_is_not_there_is_an_error(home):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder; videos must be"):
        load(home, videos=home / "nowhere")


def test_an_unknown_collection_is_an_error():
    with pytest.raises(UnknownNameError, match="There is no collection of videos 'nothing'"):
        load_videos("nothing", ".")
    with pytest.raises(UnknownNameError, match="It is a data set of recordings"):
        load_videos("pamap2", ".")


def test_the_survey_counts_minutes_of_videos_that_are_there(with_videos, monkeypatch):
    monkeypatch.setattr("har_virtual.datasets.videos.loading.common_labels", lambda name: LABELS)
    (with_videos / "b.mp4").write_bytes(b"no video")
    (with_videos / FILE).write_text(NOTES + "a,iron,9,3,p1,train\nd,iron,1,3,,\n", encoding="utf-8")
    survey = survey_dataset(TINY, with_videos)
    assert survey.missing == ("d",)
    assert set(survey.there) == {"films/a.mp4", "b.mp4", "c_1.MP4"}
    assert len(survey.damaged) == 2
    assert not survey.complete
    minutes = survey.minutes * 60
    assert minutes.loc["train", "walking"] == pytest.approx(5.5)
    assert minutes.loc["train", "ironing"] == pytest.approx(2.0)
    assert minutes.loc["test", "walking"] == pytest.approx(2.0, abs=0.11)
    assert minutes.loc["total", "total"] == pytest.approx(9.5, abs=0.11)
    assert "line 6: the clip of a starts at 9 s" in " ".join(survey.describe().split())


def test_a_stretch_beyond_the_end_of_its_video_counts_as_far_as_the_video_goes(home, monkeypatch):
    monkeypatch.setattr("har_virtual.datasets.videos.loading.common_labels", lambda name: LABELS)
    put(home / "a.mp4", 4)
    minutes = survey_dataset(TINY, home).minutes
    assert minutes.loc["train", "walking"] * 60 == pytest.approx(2.0, abs=0.11)
    assert minutes.loc["train", "ironing"] == 0.0
