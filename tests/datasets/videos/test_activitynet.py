from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.conversion import convert_videos
from har_virtual.datasets.fetch import fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.activitynet import ACTIVITYNET
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.video import probe_video

SAMPLE = Path(__file__).parents[3] / "datasets" / "activitynet"
FILE = "activity_net.v1-3.min.json"
SETTINGS = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def write(home: Path, database, name: str = FILE) -> Path:
    home.mkdir(exist_ok=True)
    (home / name).write_text(json.dumps({"database": database}))
    return home


def entry(*segments, label="Ironing clothes", subset="training", duration=100.0):
    return {
        "annotations": [{"label": label, "segment": list(segment)} for segment in segments],
        "duration": duration,
        "subset": subset,
    }


def test_classes_of_the_table_get_their_common_labels():
    table = list_videos(ACTIVITYNET, SAMPLE)
    assert dict(zip(table["name"], table["label"], strict=True)) == {
        "rope_skipping": "rope_jumping",
        "ironing_clothes": "ironing",
        "vacuuming_floor": "vacuum_cleaning",
        "spinning": "cycling",
        "walking_the_dog": "walking",
    }
    assert set(table["name"]) < set(names_by_id("activitynet", "activity").values())


def test_segments_are_in_seconds_and_end_with_the_video():
    table = list_videos(ACTIVITYNET, SAMPLE, activities="rope_jumping")
    assert table[["start_s", "stop_s"]].to_numpy().tolist() == [[1.5, 6.25], [8.0, 12.0]]
    assert set(table["address"]) == {"https://www.youtube.com/watch?v=har-virtuA1"}


def test_subsets_are_the_splits():
    assert set(list_videos(ACTIVITYNET, SAMPLE, splits="validation")["video"]) == {"har-virtuA3", "har-virtuA4"}
    with pytest.raises(DataFormatError, match="no annotation of"):
        list_videos(ACTIVITYNET, SAMPLE, splits="testing")
    with pytest.raises(UnknownNameError, match="training, validation, testing"):
        list_videos(ACTIVITYNET, SAMPLE, splits="train")


def test_every_class_of_the_file_can_be_asked_for_by_its_own_name():
    table = list_videos(ACTIVITYNET, SAMPLE, labels="own", activities="disc_dog")
    assert table[["video", "start_s", "stop_s"]].to_numpy().tolist() == [["har-virtuA5", 30.5, 33.1]]
    mapped = list_videos(ACTIVITYNET, SAMPLE, labels={"disc_dog": "throwing"})
    assert mapped["label"].tolist() == ["throwing"]
    with pytest.raises(UnknownNameError, match="flying"):
        list_videos(ACTIVITYNET, SAMPLE, labels={"flying": "jumping"})


def test_a_video_is_found_with_the_prefix_of_the_downloads_and_without():
    with pytest.warns(DataWarning, match="lacks 4 of the videos"):
        clips = load_videos(ACTIVITYNET, SAMPLE)
    assert [(clip.path.name, clip.start_s, clip.stop_s) for clip in clips] == [
        ("v_har-virtuA1.mp4", 1.5, 6.25),
        ("v_har-virtuA1.mp4", 8.0, 12.0),
    ]
    assert {(clip.subject, clip.dataset) for clip in clips} == {("video:har-virtuA1", None)}


def test_a_crawled_video_has_no_prefix(tmp_path):
    home = write(tmp_path, {"-abc_DEF012": entry((0, 5))})
    shutil.copyfile(SAMPLE / "v_har-virtuA1.mp4", home / "-abc_DEF012.mkv")
    assert [clip.path.name for clip in load_videos(ACTIVITYNET, home)] == ["-abc_DEF012.mkv"]


def test_the_name_of_the_archives_goes_before_a_crawled_one(tmp_path):
    home = write(tmp_path, {"abc": entry((0, 5))})
    for name in ("abc.mp4", "v_abc.mp4"):
        (home / name).touch()
    assert [clip.path.name for clip in load_videos(ACTIVITYNET, home)] == ["v_abc.mp4"]


def test_without_any_video_that_is_the_error(tmp_path):
    with pytest.raises(VideoError, match=r"none of the 1 videos.*-abc"):
        load_videos(ACTIVITYNET, write(tmp_path, {"-abc": entry((0, 5))}))


def test_the_newest_release_counts_and_may_lie_in_annotations(tmp_path):
    write(tmp_path / "annotations", {"old": entry((0, 5))}, "activity_net.v1-2.min.json")
    write(tmp_path / "annotations", {"new": entry((0, 5))}, "activity_net.v1-3.json")
    assert list_videos(ACTIVITYNET, tmp_path)["video"].tolist() == ["new"]
    write(tmp_path / "annotations", {"later": entry((0, 5))}, "activity_net.v1-10.json")
    assert list_videos(ACTIVITYNET, tmp_path)["video"].tolist() == ["later"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (entry((8, 3)), "starts at 8 s and ends at 3 s"),
        (entry((3, 3)), "starts at 3 s and ends at 3 s"),
        (entry((-1, 3)), "starts at -1 s"),
        (entry((120, 130)), "starts at 120 s, and the video lasts 100 s"),
        (entry((100, 130)), "starts at 100 s, and the video lasts 100 s"),
        (entry((0, 1), duration=0), "duration is 0"),
        (entry(("1", 3)), "segment is .'1', 3., which is not two times"),
        (entry((1, 2, 3)), "not two times"),
        (entry((1, float("inf"))), "not two times"),
        (entry((True, 2)), "not two times"),
        (entry((1, 10**400)), "not two times"),
        (entry((1, 2), duration="long"), "duration is 'long'"),
        (entry((1, 2), subset="train"), "subset is 'train', none of training"),
        (entry((1, 2), label=7), "no label"),
        ({"subset": "training"}, "no list of annotations"),
        ([], "no list of annotations"),
    ],
)
def test_an_annotation_that_makes_no_sense_is_named_or_left_out(tmp_path, item, why):
    home = write(tmp_path, {"bad": item, "good": entry((1, 2))})
    with pytest.raises(DataFormatError, match=f"{FILE}, video bad.*{why}"):
        list_videos(ACTIVITYNET, home)
    with pytest.warns(DataWarning, match=f"left out: .*video bad.*{why}"):
        table = list_videos(ACTIVITYNET, home, errors="warn")
    assert table["video"].tolist() == ["good"]


def test_what_is_not_asked_for_is_not_judged(tmp_path):
    bad = {"bad": entry((8, 3), label="Disc dog"), "odd": entry((1, 2), label="Disc dog", subset="none")}
    home = write(tmp_path, {**bad, "good": entry((1, 2))})
    assert list_videos(ACTIVITYNET, home)["video"].tolist() == ["good"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"database": {', "line 1, column 15"),
        (b"", "line 1, column 1"),
        (b"\xff\xfe\xff", "no JSON text"),
        (b"[" * 100_000, "no JSON text|line 1"),
        (b"[]", "no object 'database'"),
        (b'{"database": []}', "no object 'database'"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, why):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DataFormatError, match=f"{FILE}.*(?:{why})"):
        list_videos(ACTIVITYNET, tmp_path)


def test_another_folder_is_told(tmp_path):
    with pytest.raises(DataFormatError, match="is empty; data_home must be the folder that holds activity_net"):
        list_videos(ACTIVITYNET, tmp_path)


def test_fetch_takes_a_file_that_is_there(tmp_path):
    shutil.copyfile(SAMPLE / FILE, tmp_path / FILE)
    home = fetch_dataset(ACTIVITYNET, tmp_path, accept_terms=True)
    assert len(list_videos(ACTIVITYNET, home)) == 6


@SETTINGS
@given(data=st.data())
def test_damaged_text_is_an_error_or_annotations(tmp_path_factory, data):
    text = bytearray((SAMPLE / FILE).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text) - 1))
        text[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8))
    home = tmp_path_factory.mktemp("damaged")
    (home / FILE).write_bytes(text)
    try:
        found = [*ACTIVITYNET.read(home, ACTIVITYNET.classes(home))]
    except DataFormatError:
        return
    assert all(isinstance(each, Annotation | DataFormatError) for each in found)


def test_the_sample_is_what_its_script_writes(tmp_path):
    module = script_of(SAMPLE)
    for path in module.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()
    assert probe_video(SAMPLE / module.VIDEO).duration_s == pytest.approx(module.LENGTH_S, abs=0.1)


def test_the_card_names_the_file_and_every_mapped_class():
    card = ACTIVITYNET.describe()
    assert FILE in card
    for name in names_by_id("activitynet", "activity").values():
        assert name in card


def test_classes_with_a_common_label_have_the_published_numbers():
    assert names_by_id("activitynet", "activity") == {
        **{78: "ironing_clothes", 146: "rope_skipping", 147: "running_a_marathon"},
        **{164: "spinning", 187: "vacuuming_floor", 190: "walking_the_dog"},
    }


def test_a_segment_with_two_labels_is_left_out_and_the_others_can_be_converted(tmp_path):
    film = entry((0, 5), (7, 9))
    film["annotations"].append({"label": "Vacuuming floor", "segment": [0, 5]})
    home = write(tmp_path, {"abc": film})
    (home / "v_abc.mp4").touch()
    with pytest.warns(DataWarning, match=r"1 stretches were left out, .*v_abc\.mp4 \(ironing, vacuum_cleaning\)"):
        clips = load_videos(ACTIVITYNET, home)
    folder = convert_videos(clips, tmp_path / "out", sites=["waist"], overlay=False, cache_dir=False)
    assert [path.name for path in folder.glob("*.json")] == ["v_abc_7-9.json"]
