"""Annotations of any collection become clips of the videos that are there, and a table of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_collection import FILE, LABELS, NOTES, TinyCollection

from har_virtual.conversion import convert_videos
from har_virtual.datasets import survey_dataset
from har_virtual.datasets.videos import list_videos, load_videos
from har_virtual.datasets.videos._finding import index_videos
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
        VideoClip(with_videos / "b.mp4", 0.0, None, "ironing", "video:b"),
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
    assert list_videos(TINY, home, labels=LABELS, min_length_s=2)["video"].tolist() == ["a", "b", "c", "a"]
    with pytest.raises(
        DataFormatError,
        match=r"activities walking of at least 6 s there: 2 are of the activities, the longest lasts 5\.5 s\.",
    ):
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
    with pytest.warns(DataWarning, match="An annotation was left out: .*line 6") as caught:
        assert len(load_videos(TINY, with_videos, labels=LABELS, errors="warn")) == 4
    assert [warning.filename for warning in caught] == [__file__]


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
    with pytest.raises(
        DataFormatError, match="ironing; splits test there: 2 are of the activities, 0 of the splits, too"
    ):
        load(home, activities="ironing", splits="test")


def test_subjects_are_those_of_the_annotations(with_videos):
    assert [clip.subject for clip in load(with_videos, subjects=["p2"])] == ["p2"]
    with pytest.raises(UnknownNameError, match="There is no p3; there is p1, p2"):
        load(with_videos, subjects="p3")


def test_a_folder_of_videos_that_is_not_there_is_an_error(home):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder; videos must be"):
        load(home, videos=home / "nowhere")


def test_an_unknown_collection_is_an_error():
    with pytest.raises(UnknownNameError, match=r"There is no collection of videos 'nothing'; .*, ucf101\.$"):
        load_videos("nothing", ".")
    with pytest.raises(UnknownNameError, match="It is a data set of recordings"):
        load_videos("pamap2", ".")


def test_the_survey_counts_minutes_of_videos_that_are_there(with_videos):
    (with_videos / "b.mp4").write_bytes(b"no video")
    (with_videos / FILE).write_text(NOTES + "a,iron,9,3,p1,train\nd,iron,1,3,,\n", encoding="utf-8")
    survey = survey_dataset(TINY, with_videos)
    assert survey.missing == ("c", "d")
    assert set(survey.there) == {"films/a.mp4", "b.mp4", "c_1.MP4"}
    assert set(survey.damaged) == {"annotation 1", str(with_videos / "b.mp4")}
    assert not survey.complete
    minutes = survey.minutes * 60
    assert minutes.index.tolist() == ["train", "test", "total"]
    assert minutes.loc["train", "walk_slowly"] == pytest.approx(5.5)
    assert minutes.loc["train", "iron"] == pytest.approx(2.0)
    assert minutes.loc["test", "walk_slowly"] == pytest.approx(2.0, abs=0.11)
    assert minutes.loc["test", "total"] == pytest.approx(2.0, abs=0.11)
    assert minutes.loc["total", "total"] == pytest.approx(9.5, abs=0.11)
    assert "line 6: the clip of a starts at 9 s" in " ".join(survey.describe().split())


def test_a_stretch_beyond_the_end_of_its_video_counts_as_far_as_the_video_goes(home):
    put(home / "a.mp4", 4)
    minutes = survey_dataset(TINY, home).minutes
    assert minutes.loc["train", "walk_slowly"] * 60 == pytest.approx(2.0, abs=0.11)
    assert minutes.loc["train", "iron"] == 0.0


def test_a_stretch_that_starts_when_its_video_has_ended_is_not_there(home):
    put(home / "a.mp4", 10)
    put(home / "b.mp4", 2)
    put(home / "c.mp4", 5)
    survey = survey_dataset(TINY, home)
    assert survey.missing == ()
    assert survey.short == {
        str(home / "a.mp4"): "a: annotated from 10 s, but the file lasts 10 s; was it cut?",
    }
    assert not survey.complete
    (home / FILE).write_text("b,iron,2,3,,\nb,iron,7,9,,\nb,iron,1,4,,\n", encoding="utf-8")
    assert survey_dataset(TINY, home).short == {
        str(home / "b.mp4"): "b: annotated from 2 s, in 2 stretches, but the file lasts 2 s; was it cut?"
    }


def test_a_file_that_holds_the_stretch_alone_need_not_last_until_it_starts(home):
    (home / FILE).write_text("a,iron,10,12,p1,train\n", encoding="utf-8")
    put(home / "a_10.mp4", 2)
    assert survey_dataset(TINY, home).complete


def test_a_second_that_is_annotated_twice_with_one_label_counts_once_and_with_two_labels_for_each(home):
    put(home / "a.mp4", 14)
    put(home / "b.mp4", 14)
    lines = (
        "a,iron,2,6,p1,train",
        "a,iron,4,9,p2,train",
        "a,iron,2,3,p1,train",
        "b,iron,2,6,,train",
        "a,sing,2,6,,train",
    )
    (home / FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    minutes = survey_dataset(TINY, home).minutes * 60
    assert minutes.loc["train", ["iron", "sing"]].tolist() == pytest.approx([11.0, 4.0])


def test_the_survey_of_a_collection_without_splits_has_one_row_and_names_copies(home):
    class Undivided(TinyCollection):
        splits = ()

    put(home / "b.mp4", 3)
    put(home / "copy" / "b.mp4", 3)
    (home / FILE).write_text("b,iron,0,2,,\n", encoding="utf-8")
    survey = survey_dataset(Undivided(), home)
    assert survey.minutes.index.tolist() == ["all", "total"]
    assert survey.minutes.loc["all", "iron"] * 60 == pytest.approx(2.0)
    assert "1 videos are there more than once" in " ".join(survey.describe().split())


def test_a_split_without_a_video_is_a_row_of_the_survey(home):
    put(home / "b.mp4", 3)
    assert survey_dataset(TINY, home).minutes.loc["test"].tolist() == [0.0] * 4


def test_classes_with_fewer_videos_than_were_published_are_cut_short(home):
    class Counted(TinyCollection):
        def published_videos(self, name):
            return {"iron": 1, "walk_slowly": 2}.get(name)

    put(home / "b.mp4", 3)
    put(home / "c_1.mp4", 3)
    assert survey_dataset(Counted(), home).short == {
        "walk_slowly": "walk_slowly: 1 of the 2 videos that were published are there."
    }


def test_the_same_annotation_twice_counts_once(with_videos):
    (with_videos / FILE).write_text(NOTES + NOTES, encoding="utf-8")
    assert len(list_videos(TINY, with_videos, labels=LABELS)) == 4
    assert len(load(with_videos)) == 4


def test_two_annotations_of_one_stretch_with_one_label_are_one_clip(with_videos):
    (with_videos / FILE).write_text("a,walk_slowly,2,4,,train\na,iron,2,4,,test\n", encoding="utf-8")
    both = {"walk_slowly": "moving", "iron": "moving"}
    assert len(list_videos(TINY, with_videos, labels=both)) == 2
    (clip,) = load_videos(TINY, with_videos, labels=both)
    assert (clip.start_s, clip.stop_s, clip.label) == (2.0, 4.0, "moving")


def test_all_clips_of_a_video_in_which_nobody_is_named_are_one_group_in_every_collection(with_videos):
    (with_videos / FILE).write_text("a,walk_slowly,2,4,,train\na,iron,5,7.6,,train\nb,iron,0,2,,\n", encoding="utf-8")

    class Other(TinyCollection):
        name = "other_videos"

    clips = [*load(with_videos), *load_videos(Other(), with_videos, labels=LABELS)]
    assert [(clip.subject, clip.dataset) for clip in clips] == [
        ("video:a", None),
        ("video:a", None),
        ("video:b", None),
    ] * 2
    assert list_videos(TINY, with_videos, labels=LABELS)["subject"].tolist() == [None] * 3


@pytest.mark.parametrize(
    ("other", "named"),
    [("a,iron,2,4,p1,train", r"walking, ironing"), ("a,walk_slowly,2,4,p2,train", "walking, walking")],
)
def test_a_stretch_with_several_labels_or_persons_is_left_out_with_a_warning(with_videos, other, named):
    (with_videos / FILE).write_text(f"a,walk_slowly,2,4,p1,train\n{other}\nb,iron,0,2,,\n", encoding="utf-8")
    with pytest.warns(DataWarning, match=rf"^1 stretches were left out, .*: a\.mp4 \({named}\)\. Ask") as caught:
        clips = load(with_videos)
    assert len(caught) == 1
    assert [clip.path.name for clip in clips] == ["b.mp4"]
    assert len(list_videos(TINY, with_videos, labels=LABELS)) == 3
    check_video_collection(TINY, with_videos, labels=LABELS)


def test_two_files_of_one_name_are_told_of_and_the_first_folder_s_is_taken(with_videos):
    other = put(with_videos / "cut" / "a.mkv")
    with pytest.warns(
        DataWarning, match=r"^1 videos are there more than once .* such as \S*cut/a\.mkv, \S*films"
    ) as caught:
        clips = load(with_videos)
    assert len(caught) == 1
    assert clips[0].path == other
    with pytest.warns(DataWarning, match="more than once"):
        list_videos(TINY, with_videos, labels=LABELS)
    assert load(with_videos, videos=with_videos / "films", activities="walking", splits="train")[0].path.name == "a.mp4"


def test_hidden_files_and_folders_hold_no_videos(home):
    for name in ("._b.mp4", ".b.mp4", ".unfinished/b.mp4", "b.mp4.part", "b", "mp4", "b.txt"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).touch()
    (home / FILE).write_text(NOTES + "._b,iron,0,2,,\n", encoding="utf-8")
    with pytest.raises(VideoError, match="none of the 4 videos"):
        load(home)
    assert not index_videos(home)


def test_a_folder_that_is_a_link_is_searched_and_a_circle_of_links_ends(home, tmp_path):
    video = put(tmp_path / "disk" / "b.mp4")
    (home / "films").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(home)
    put(home / "c_1.mp4")
    paths = list_videos(TINY, home, labels=LABELS)["path"].tolist()
    assert paths == [None, home / "films" / "b.mp4", home / "c_1.mp4", None]
    assert paths[1].samefile(video)


def test_names_may_hold_dots_and_begin_with_a_dash(home):
    (home / FILE).write_text("-x.1,iron,0,2,,\n", encoding="utf-8")
    put(home / "-x.1.mp4")
    put(home / "-x.mp4")
    assert [clip.path.name for clip in load(home)] == ["-x.1.mp4"]


def test_names_that_differ_in_case_are_two_videos(home):
    (home / FILE).write_text("B,iron,0,2,,\n", encoding="utf-8")
    put(home / "b.mp4")
    with pytest.raises(VideoError, match="such as B"):
        load(home)


def test_without_a_table_of_labels_the_error_says_what_to_pass(home):
    with pytest.raises(UnknownNameError, match="Tiny Videos: no class of it has a common label; pass labels='own'"):
        load_videos(TINY, home)


@pytest.mark.parametrize("length", [-1, float("nan"), "2", "a", None])
def test_a_shortest_length_that_is_none_is_an_error(home, length):
    with pytest.raises(DataFormatError, match="min_length_s must be a finite number of 0 or more"):
        list_videos(TINY, home, labels=LABELS, min_length_s=length)


def test_where_all_are_too_short_the_error_says_so(home):
    with pytest.raises(DataFormatError, match=r"no annotation of activities walking of at least 6\.5 s there"):
        list_videos(TINY, home, labels=LABELS, activities="walking", min_length_s=6.5)


@pytest.mark.parametrize("name", ["splits", "subjects", "activities"])
def test_an_empty_choice_is_an_error(home, name):
    with pytest.raises(UnknownNameError, match="Nothing was asked for"):
        list_videos(TINY, home, labels=LABELS, **{name: []})


def test_a_word_that_is_no_way_to_label_is_an_error(home):
    with pytest.raises(
        UnknownNameError, match="labels must be 'common', 'own' or a mapping of own classes, not 'mine'"
    ):
        list_videos(TINY, home, labels="mine")


def test_more_missing_videos_than_can_be_named_end_in_dots(home):
    lines = [f"video{number},iron,0,2,,\n" for number in range(10)]
    (home / FILE).write_text("".join(lines), encoding="utf-8")
    put(home / "video9.mp4")
    with pytest.warns(DataWarning, match=r"lacks 9 of the videos.*: video0, .*, video7 \.\.\.\. list_videos"):
        load(home)


def test_where_no_annotation_makes_sense_the_error_says_so_though_errors_only_warn(home):
    (home / FILE).write_text("a,iron,9,3,p1,train\na,iron,4,4,p1,train\n", encoding="utf-8")
    with pytest.raises(
        DataFormatError, match=r"none of 2 annotations .* makes sense; the first: .*line 1: the clip of a"
    ):
        load(home, errors="warn")


@pytest.mark.parametrize("label", [None, "", 3])
def test_a_label_that_is_no_text_is_an_error(home, label):
    with pytest.raises(
        DataFormatError, match=f"labels must map own classes to text, not 'iron' to {label!r}; leave out"
    ):
        list_videos(TINY, home, labels={"iron": label, "sing": "choir"})


@pytest.mark.parametrize("labels", [["iron"], 3, None])
def test_labels_of_another_kind_are_an_error(home, labels):
    with pytest.raises(UnknownNameError, match="labels must be 'common', 'own' or a mapping"):
        list_videos(TINY, home, labels=labels)


def test_the_same_clip_twice_is_told_with_its_seconds_and_labels(with_videos, tmp_path):
    clips = [
        *load(with_videos, activities="walking"),
        *load_videos(TINY, with_videos, labels={"walk_slowly": "strolling"}),
    ]
    said = (
        r"a\.mp4, 2-7\.5 s: the same clip is there twice, as label 'walking', subject 'p1', .* and as label 'strolling'"
    )
    with pytest.raises(DataFormatError, match=said):
        convert_videos(clips, tmp_path / "out", sites=["waist"], overlay=False, cache_dir=False)
