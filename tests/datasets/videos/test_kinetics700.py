from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.conversion import convert_videos
from har_virtual.datasets.fetch import fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.kinetics700 import KINETICS700
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.video import probe_video

SAMPLE = Path(__file__).parents[3] / "datasets" / "kinetics700"
HEADER = "label,youtube_id,time_start,time_end,split"
GOOD = "ironing,abcdefghijk,10,20,train"
SETTINGS = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def write(home: Path, *lines: str, name: str = "train.csv", header: str = HEADER) -> Path:
    home.mkdir(exist_ok=True)
    (home / name).write_text("".join(f"{line}\n" for line in (header, *lines)), encoding="utf-8")
    return home


def test_classes_of_the_table_get_their_common_labels():
    table = list_videos(KINETICS700, SAMPLE)
    assert dict(zip(table["name"], table["label"], strict=True)) == {
        "skipping_rope": "rope_jumping",
        "riding_a_bike": "cycling",
        "squat": "squatting",
        "ironing": "ironing",
        "jogging": "running",
        "vacuuming_floor": "vacuum_cleaning",
        "lunge": "lunging",
    }
    assert set(table["name"]) < set(names_by_id("kinetics700", "activity").values())


def test_rows_give_the_stretch_of_the_whole_video():
    table = list_videos(KINETICS700, SAMPLE, activities="cycling")
    assert table[["video", "start_s", "stop_s", "split"]].to_numpy().tolist() == [["har-virtuK2", 84.0, 94.0, "train"]]
    assert table["address"].tolist() == ["https://www.youtube.com/watch?v=har-virtuK2"]


def test_test_videos_without_a_class_are_none():
    assert set(list_videos(KINETICS700, SAMPLE, labels="own")["split"]) == {"train", "validate"}
    assert KINETICS700.classes(SAMPLE) == sorted(
        "skipping_rope riding_a_bike squat ironing backflip_human jogging vacuuming_floor lunge".split()
    )


def test_a_clip_under_the_name_of_the_downloads_is_taken_whole():
    with pytest.warns(DataWarning, match="lacks 5 of the videos"):
        (clip,) = load_videos(KINETICS700, SAMPLE)
    assert clip.path.name == "har-virtuK1_000010_000020.mp4"
    assert (clip.start_s, clip.stop_s, clip.label, clip.subject) == (0.0, None, "rope_jumping", "video:har-virtuK1")


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("abcdefghijk_000010_000020", (0.0, None)),
        ("abcdefghijk_10_20", (0.0, None)),
        ("abcdefghijk", (10.0, 20.0)),
    ],
)
def test_cut_clips_and_whole_videos_are_told_apart_by_name(tmp_path, name, bounds):
    home = write(tmp_path, GOOD)
    (home / f"{name}.mp4").write_bytes(b"")
    (clip,) = load_videos(KINETICS700, home)
    assert (clip.start_s, clip.stop_s) == bounds


def test_a_cut_clip_goes_before_the_whole_video(tmp_path):
    home = write(tmp_path, GOOD)
    for name in ("abcdefghijk.mp4", "abcdefghijk_000010_000020.mp4"):
        (home / name).write_bytes(b"")
    assert [clip.path.stem for clip in load_videos(KINETICS700, home)] == ["abcdefghijk_000010_000020"]


def test_both_names_of_the_validation_split_are_one(tmp_path):
    home = write(tmp_path, GOOD.replace("train", "val"), name="val.csv")
    assert list_videos(KINETICS700, home, splits="validate")["split"].tolist() == ["validate"]


@pytest.mark.parametrize("folder", ["annotations", "kinetics700_2020", "kinetics700"])
def test_annotations_may_lie_where_archives_and_mirrors_put_them(tmp_path, folder):
    write(tmp_path / folder, GOOD)
    (tmp_path / "abcdefghijk.mp4").write_bytes(b"")
    assert len(load_videos(KINETICS700, tmp_path)) == 1


def test_quotes_further_columns_and_another_line_end_are_read(tmp_path):
    (tmp_path / "kinetics_700_train.csv").write_bytes(
        f'\ufeff{HEADER},is_cc\r\n"riding a bike",abcdefghijk,0,10,train,0\r\n\r\n'.encode()
    )
    assert list_videos(KINETICS700, tmp_path)["name"].tolist() == ["riding_a_bike"]


def test_the_split_is_the_files_where_no_column_names_it(tmp_path):
    home = write(tmp_path, "squat,abcdefghijk,0,10", header="label,youtube_id,time_start,time_end", name="val.csv")
    assert list_videos(KINETICS700, home)["split"].tolist() == ["validate"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ironing,abcdefghijk,20,10,train", "starts at 20 s and ends at 10 s"),
        ("ironing,abcdefghijk,ten,20,train", "is from 'ten' to '20', which is no time"),
        ("ironing,abcdefghijk,nan,20,train", "no time"),
        ("ironing,abcdefghijk,1_0,20,train", "no time"),
        ("ironing,abcdefghijk,\uff11,20,train", "no time"),
        ("ironing,abcdefghijk,,20,train", "no time"),
        ("ironing,,10,20,train", "youtube_id is ''"),
        ("ironing,abcdefghijk,10,20,holdout", "split 'holdout'"),
        ("ironing,abcdefghijk,10,20", "4 fields where 5 are needed"),
        ("ironing,abcdefghijk,10,20,train,0", "6 fields where 5 are needed"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_by_its_line_or_left_out(tmp_path, line, why):
    home = write(tmp_path, GOOD, line)
    with pytest.raises(DataFormatError, match=f"train.csv, line 3: .*{why}"):
        list_videos(KINETICS700, home)
    with pytest.warns(DataWarning, match=f"left out: .*train.csv, line 3: .*{why}"):
        table = list_videos(KINETICS700, home, errors="warn")
    assert len(table) == 1


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(DataFormatError, match=r"train.csv, line 1: column time_end is missing"):
        list_videos(KINETICS700, write(tmp_path, header="label,youtube_id,time_start,split"))


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path):
    (tmp_path / "train.csv").write_bytes(f"{HEADER}\n{GOOD}\n".encode() + b"ironing,\xff\xfe,1,2,train\n")
    with pytest.raises(DataFormatError, match=r"train.csv, line 3: the line is no text"):
        list_videos(KINETICS700, tmp_path)


@pytest.mark.parametrize(("header", "there"), [("x,y", "x, y"), ("", "none")])
def test_another_train_csv_is_not_taken_for_it_and_what_it_lacks_is_named(tmp_path, header, there):
    lacks = rf"train\.csv, line 1: column label, youtube_id, time_start, time_end is missing; there is {there}\."
    with pytest.raises(DataFormatError, match=rf"is not the home of Kinetics-700: .*{lacks}"):
        list_videos(KINETICS700, write(tmp_path, header=header))
    (tmp_path / "train.csv").write_bytes(b"")
    with pytest.raises(DataFormatError, match="there is none"):
        list_videos(KINETICS700, tmp_path)


def test_another_train_csv_does_not_hide_the_annotations_below(tmp_path):
    write(tmp_path, "1,2", header="x,y")
    (tmp_path / "test.csv").mkdir()
    write(tmp_path, GOOD.replace("abc", "old"), name="train.csv.old")
    write(tmp_path / "annotations", GOOD)
    assert list_videos(KINETICS700, tmp_path)["video"].tolist() == ["abcdefghijk"]


def test_rows_that_stand_in_two_files_count_once(tmp_path):
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, GOOD.replace("10,20", "30,40"), name="kinetics700_train.csv")
    assert list_videos(KINETICS700, tmp_path)["start_s"].tolist() == [10.0, 30.0]


def test_identifiers_with_underscores_and_dashes_are_told_apart(tmp_path):
    home = write(tmp_path, "ironing,-_1_000010_,10,20,train", "ironing,_1_000010_0,20,30,train")
    for name in ("-_1_000010__000010_000020.mp4", "_1_000010_0_000020_000030.mp4"):
        (home / name).touch()
    assert [clip.path.name for clip in load_videos(KINETICS700, home)] == [
        "-_1_000010__000010_000020.mp4",
        "_1_000010_0_000020_000030.mp4",
    ]


def test_an_unknown_activity_is_told():
    with pytest.raises(UnknownNameError, match=r"swimming.*rope_jumping"):
        list_videos(KINETICS700, SAMPLE, activities="swimming")


def test_fetch_unpacks_an_archive_that_is_there(tmp_path):
    with tarfile.open(tmp_path / "kinetics700_2020.tar.gz", "w:gz") as archive:
        for path in SAMPLE.glob("*.csv"):
            archive.add(path, f"kinetics700_2020/{path.name}")
    home = fetch_dataset(KINETICS700, tmp_path, accept_terms=True)
    assert len(list_videos(KINETICS700, home)) == 7


@SETTINGS
@given(data=st.data())
def test_damaged_text_is_an_error_or_annotations(tmp_path_factory, data):
    text = bytearray((SAMPLE / "train.csv").read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text) - 1))
        text[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8))
    home = tmp_path_factory.mktemp("damaged")
    (home / "train.csv").write_bytes(text)
    try:
        found = [*KINETICS700.read(home, KINETICS700.classes(home))]
    except DataFormatError:
        return
    assert all(isinstance(each, Annotation | DataFormatError) for each in found)


def test_a_field_longer_than_csv_allows_is_an_error(tmp_path):
    with pytest.raises(DataFormatError, match=r"train.csv, line 2: field larger"):
        list_videos(KINETICS700, write(tmp_path, "x" * 200_000))


def test_the_sample_is_what_its_script_writes(tmp_path):
    module = script_of(SAMPLE)
    for path in module.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()
    assert probe_video(SAMPLE / module.VIDEO).duration_s == pytest.approx(module.LENGTH_S, abs=0.1)


def test_the_card_names_the_files_and_every_mapped_class():
    card = KINETICS700.describe()
    for name in ("train.csv", "_000010_000020.mp4", *names_by_id("kinetics700", "activity").values()):
        assert name in card


def test_an_identifier_may_begin_with_a_hyphen(tmp_path):
    (tmp_path / "-har-virtuK_000000_000010.mp4").touch()
    with pytest.warns(DataWarning, match="lacks"):
        (clip,) = load_videos("kinetics700", SAMPLE, videos=tmp_path)
    assert (clip.path.name, clip.label) == ("-har-virtuK_000000_000010.mp4", "squatting")


def test_the_validation_split_may_be_asked_for_as_the_files_call_it(tmp_path):
    home = write(tmp_path, GOOD.replace("train", "val"), name="val.csv")
    table = list_videos(KINETICS700, home, splits="val")
    assert table["split"].tolist() == ["validate"]
    assert table.equals(list_videos(KINETICS700, home, splits=["validate"]))
    with pytest.raises(UnknownNameError, match="There is no dev; there is train, validate, test"):
        list_videos(KINETICS700, home, splits=["val", "dev"])


def test_an_own_class_that_is_asked_for_is_answered_with_its_label():
    with pytest.raises(UnknownNameError, match=r"There is no jogging; .*\. jogging is a class under running\.$"):
        list_videos(KINETICS700, SAMPLE, activities="jogging")
    with pytest.raises(UnknownNameError, match=r"\. backflip_human: labels='own' or a mapping gives classes that"):
        list_videos(KINETICS700, SAMPLE, activities=["walking", "backflip_human"])


def test_where_no_class_has_a_common_label_the_error_names_those_there_are(tmp_path):
    home = write(tmp_path, "backflip (human),abcdefghijk,10,20,train")
    with pytest.raises(
        DataFormatError,
        match=r"no class of what was asked for there; it has backflip_human\. Pass labels='own', or .*\{'backflip_",
    ):
        list_videos(KINETICS700, home)
    assert list_videos(KINETICS700, home, labels="own")["label"].tolist() == ["backflip_human"]


def test_the_folder_above_is_not_advised_where_the_home_is_in_it(tmp_path):
    (tmp_path / "data" / "ava").mkdir(parents=True)
    write(tmp_path / "data" / "kinetics700", GOOD)
    with pytest.raises(DataFormatError, match=rf": pass {tmp_path}/data/kinetics700\.$"):
        list_videos(KINETICS700, tmp_path / "data" / "ava")


def test_rows_that_stand_twice_are_one_clip_to_convert_and_two_labels_none(tmp_path):
    home = write(
        tmp_path, GOOD, GOOD.replace("train", "val"), "squat,lmnopqrstuv,1,2,train", "lunge,lmnopqrstuv,1,2,train"
    )
    (home / "abcdefghijk.mp4").write_bytes(b"")
    (home / "lmnopqrstuv.mp4").write_bytes(b"")
    with pytest.warns(DataWarning, match="1 stretches were left out"):
        clips = load_videos(KINETICS700, home)
    folder = convert_videos(clips, tmp_path / "out", sites=["waist"], overlay=False, cache_dir=False)
    assert [path.name for path in folder.glob("*.json")] == ["abcdefghijk_10-20.json"]
