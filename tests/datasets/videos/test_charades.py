from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets.fetch import fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.charades import CHARADES
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.video import probe_video

SAMPLE = Path(__file__).parents[3] / "datasets" / "charades"
HEADER = "id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length"
CLASSES = "c097 Walking through a doorway\nc150 Someone is running somewhere\n"
SETTINGS = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def row(actions: str, video: str = "ABCDE", subject: str = "XY12", length: str = "20.5") -> str:
    return f"{video},{subject},Kitchen,6,7,Yes,A script.,door,A description.,{actions},{length}\n"


def write(home: Path, *rows: str, classes: str = CLASSES, header: str = HEADER) -> Path:
    home.mkdir(exist_ok=True)
    (home / "Charades_v1_train.csv").write_text("".join((f"{header}\n", *rows)))
    (home / "Charades_v1_classes.txt").write_text(classes)
    return home


def test_actions_become_stretches_with_their_common_labels():
    table = list_videos(CHARADES, SAMPLE, splits="train")
    assert table[["video", "label", "start_s", "stop_s", "subject"]].to_numpy().tolist() == [
        ["HAR01", "walking", 0.0, 3.1, "SUBA"],
        ["HAR01", "sitting_down", 4.0, 6.5, "SUBA"],
        ["HAR01", "sitting", 6.0, 12.0, "SUBA"],
        ["HAR02", "vacuum_cleaning", 1.2, 25.0, "SUBA"],
        ["HAR02", "standing_up", 25.8, 28.4, "SUBA"],
    ]


def test_codes_are_the_numbers_of_the_label_table():
    lines = (SAMPLE / "Charades_v1_classes.txt").read_text().splitlines()
    names = dict(zip((int(line[1:4]) for line in lines), CHARADES.classes(SAMPLE), strict=True))
    table = names_by_id("charades", "activity")
    assert table == {code: names[code] for code in table}


def test_an_action_that_ends_after_the_video_ends_with_it(tmp_path):
    table = list_videos(CHARADES, write(tmp_path, row("c097 18.00 22.00")))
    assert table["stop_s"].tolist() == [20.5]


def test_clips_carry_the_person_and_the_data_set():
    with pytest.warns(DataWarning, match=r"lacks 2 of the videos of charades.*: HAR04, HAR02"):
        clips = load_videos(CHARADES, SAMPLE)
    assert [(clip.path.name, clip.start_s, clip.stop_s, clip.subject, clip.dataset) for clip in clips] == [
        ("HAR01.mp4", 0.0, 3.1, "SUBA", "charades"),
        ("HAR01.mp4", 4.0, 6.5, "SUBA", "charades"),
        ("HAR01.mp4", 6.0, 12.0, "SUBA", "charades"),
    ]


def test_an_unnamed_person_is_nobody(tmp_path):
    home = write(tmp_path, row("c097 1 2", subject=" "))
    (home / "ABCDE.mp4").touch()
    (clip,) = load_videos(CHARADES, home)
    assert (clip.subject, clip.dataset) == ("video:ABCDE", None)


def test_one_moment_that_is_two_things_is_left_out_and_the_same_thing_twice_is_one(tmp_path):
    home = write(tmp_path, row("c097 1 2;c150 1 2;c150 3 4;c150 3 4"))
    (home / "ABCDE.mp4").touch()
    with pytest.warns(DataWarning, match=r"1 stretches were left out.*ABCDE\.mp4 \(walking, running\)"):
        clips = load_videos(CHARADES, home)
    assert [(clip.start_s, clip.label) for clip in clips] == [(3.0, "running")]


def test_people_can_be_asked_for():
    assert set(list_videos(CHARADES, SAMPLE, subjects="SUBC")["video"]) == {"HAR04"}
    with pytest.raises(UnknownNameError, match="SUBZ"):
        list_videos(CHARADES, SAMPLE, subjects="SUBZ")


def test_every_class_of_the_list_can_be_asked_for():
    table = list_videos(CHARADES, SAMPLE, labels="own", activities="holding_a_broom")
    assert table[["video", "start_s", "stop_s"]].to_numpy().tolist() == [["HAR04", 3.0, 8.0]]


def test_videos_without_actions_have_none(tmp_path):
    home = write(tmp_path, row("", "EMPTY"), row(" ;c150 1 2; ", "FULL1"))
    assert list_videos(CHARADES, home)["video"].tolist() == ["FULL1"]


def test_quoted_texts_may_hold_commas_quotes_and_line_ends(tmp_path):
    text = 'ABCDE,XY12,"Living, room",6,7,Yes,"He says ""no"",\nand runs.",door,"a;b",c150 1.0 2.0,20.5\n'
    home = write(tmp_path, text, row("c150 9 2"))
    with pytest.raises(DataFormatError, match=r"Charades_v1_train.csv, line 4: .*starts at 9 s and ends at 2 s"):
        list_videos(CHARADES, home)
    with pytest.warns(DataWarning):
        assert list_videos(CHARADES, home, errors="warn")["start_s"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (row("c097 5.00 4.00"), "starts at 5 s and ends at 4 s"),
        (row("c097 30.00 40.00"), "starts at 30 s, and the video lasts 20.5 s"),
        (row("c097 1.00"), "'c097 1.00' of ABCDE is not a class with start and end"),
        (row("c097 one 2.0"), "not a class with start and end"),
        (row("c097 nan 2.0"), "not a class with start and end"),
        (row("c999 1.00 2.00"), "'c999 1.00 2.00' of ABCDE"),
        (row("c097 1.00 2.00", length="long"), "length of ABCDE is 'long'"),
        ("ABCDE,XY12\n", "2 fields where 11 are needed"),
    ],
)
def test_an_action_that_makes_no_sense_is_named_by_its_line_or_left_out(tmp_path, text, why):
    home = write(tmp_path, row("c150 0.50 2.00"), text)
    with pytest.raises(DataFormatError, match=f"Charades_v1_train.csv, line 3: .*{why}"):
        list_videos(CHARADES, home)
    with pytest.warns(DataWarning, match=f"left out: .*line 3: .*{why}"):
        table = list_videos(CHARADES, home, errors="warn")
    assert table["name"].tolist() == ["someone_is_running_somewhere"]


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        (f"{CLASSES}c09 Short\n", 3),
        (f"{CLASSES}c098\n", 3),
        (f"{CLASSES}c097 Once more\n", 3),
        (f"c001 Walking through a doorway\n{CLASSES}", 2),
        ("walk\n", 1),
    ],
)
def test_a_damaged_list_of_classes_is_named_by_its_line(tmp_path, classes, line):
    with pytest.raises(DataFormatError, match=f"Charades_v1_classes.txt, line {line}: .*no code with a name"):
        list_videos(CHARADES, write(tmp_path, row("c097 1 2"), classes=classes))


def test_a_missing_list_of_classes_is_told(tmp_path):
    home = write(tmp_path, row("c097 1 2"))
    (home / "Charades_v1_classes.txt").unlink()
    with pytest.raises(DataFormatError, match=r"Charades_v1_classes.txt is missing"):
        list_videos(CHARADES, home)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(DataFormatError, match="line 1: column actions, length is missing"):
        list_videos(CHARADES, write(tmp_path, header=HEADER.removesuffix(",actions,length")))


def test_annotations_may_lie_in_the_folder_of_the_archive(tmp_path):
    write(tmp_path / "Charades", row("c097 1 2"))
    (tmp_path / "ABCDE.mp4").write_bytes(b"")
    assert len(load_videos(CHARADES, tmp_path)) == 1


def test_fetch_unpacks_an_archive_that_is_there(tmp_path):
    with zipfile.ZipFile(tmp_path / "Charades.zip", "w") as archive:
        for path in [*SAMPLE.glob("Charades_v1_*.*")]:
            archive.write(path, f"Charades/{path.name}")
    home = fetch_dataset(CHARADES, tmp_path, accept_terms=True)
    assert len(list_videos(CHARADES, home)) == 7


@SETTINGS
@given(data=st.data())
def test_damaged_text_is_an_error_or_annotations(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("damaged")
    for name in ("Charades_v1_train.csv", "Charades_v1_classes.txt"):
        text = bytearray((SAMPLE / name).read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            start = data.draw(st.integers(0, len(text) - 1))
            text[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8))
        (home / name).write_bytes(text)
    try:
        found = [*CHARADES.read(home, CHARADES.classes(home))]
    except DataFormatError:
        return
    assert all(isinstance(each, Annotation | DataFormatError) for each in found)


def test_the_sample_is_what_its_script_writes(tmp_path):
    module = script_of(SAMPLE)
    for path in module.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()
    assert probe_video(SAMPLE / module.VIDEO).duration_s == pytest.approx(module.LENGTH_S, abs=0.1)


def test_the_card_names_the_files_and_every_mapped_class():
    card = CHARADES.describe()
    for name in ("Charades_v1_train.csv", "Charades_v1_classes.txt", *names_by_id("charades", "activity").values()):
        assert name in card
