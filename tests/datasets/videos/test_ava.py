from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.conversion import convert_videos
from har_virtual.datasets import survey_dataset
from har_virtual.datasets.fetch import fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.ava import AVA, AVACollection
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.video import probe_video

SAMPLE = Path(__file__).parents[3] / "datasets" / "ava"
WALK, SIT, TALK = 14, 11, 79
LIST = "".join(
    f'label {{\n  name: "{name}"\n  label_id: {number}\n  label_type: PERSON_MOVEMENT\n}}\n'
    for name, number in (("sit", SIT), ("walk", WALK), ("run/jog", 10))
)
SETTINGS = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def line(second: float, action: int | str, person: int | str, video: str = "film") -> str:
    return f"{video},{second:04},0.1,0.2,0.3,0.4,{action},{person}\n"


def write(home: Path, *lines: str, actions: str = LIST, excluded: str | None = None, version: str = "2.2") -> Path:
    home.mkdir(exist_ok=True)
    (home / f"ava_train_v{version}.csv").write_text("".join(lines))
    (home / f"ava_action_list_v{version}.pbtxt").write_text(actions)
    if excluded is not None:
        (home / f"ava_train_excluded_timestamps_v{version}.csv").write_text(excluded)
    return home


def stretches(home: Path, collection: AVACollection = AVA, **options) -> list[list]:
    return list_videos(collection, home, **options)[["label", "start_s", "stop_s"]].to_numpy().tolist()


def test_one_key_frame_stands_for_the_second_around_it(tmp_path):
    assert stretches(write(tmp_path, line(902, WALK, 1))) == [["walking", 901.5, 902.5]]


def test_consecutive_key_frames_of_a_person_and_action_are_one_stretch(tmp_path):
    home = write(tmp_path, *(line(second, WALK, 1) for second in (905, 903, 904, 908)))
    assert stretches(home) == [["walking", 902.5, 905.5], ["walking", 907.5, 908.5]]


def test_a_change_of_action_leaves_neither_gap_nor_overlap(tmp_path):
    home = write(tmp_path, line(902, SIT, 1), line(903, SIT, 1), line(904, WALK, 1))
    assert stretches(home) == [["sitting", 901.5, 903.5], ["walking", 903.5, 904.5]]


def test_another_person_in_the_next_second_is_another_stretch(tmp_path):
    home = write(tmp_path, line(902, WALK, 1), line(903, WALK, 2))
    assert stretches(home) == [["walking", 901.5, 902.5], ["walking", 902.5, 903.5]]


def test_stretches_are_in_the_order_of_time_however_often_an_action_comes_back(tmp_path):
    walks = [line(second, WALK, 1) for second in (902, 903, 904, 905)]
    home = write(tmp_path, *walks, line(903, 10, 1), line(905, 10, 1))
    assert stretches(home) == [["walking", 901.5, 905.5], ["running", 902.5, 903.5], ["running", 904.5, 905.5]]


def test_several_who_begin_and_end_together_are_one_stretch_whoever_counts(tmp_path):
    home = write(tmp_path, line(902, WALK, 1), line(902, WALK, 2), line(902, SIT, 3))
    assert stretches(home, AVACollection(people="any")) == [["sitting", 901.5, 902.5], ["walking", 901.5, 902.5]]


def test_films_are_not_joined(tmp_path):
    home = write(tmp_path, line(902, WALK, 1, "b"), line(903, WALK, 1, "a"))
    assert list_videos(AVA, home)["video"].tolist() == ["b", "a"]


def test_several_actions_of_a_person_each_count(tmp_path):
    home = write(tmp_path, line(902, SIT, 1), line(902, 10, 1))
    assert stretches(home) == [["running", 901.5, 902.5], ["sitting", 901.5, 902.5]]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ("same", [[901.5, 902.5], [902.5, 903.5]]),
        ("alone", [[901.5, 902.5]]),
        ("any", [[901.5, 904.5], [902.5, 903.5]]),
    ],
)
def test_people_says_which_key_frames_count(tmp_path, people, expected):
    """One walks alone, then with another, then past one who talks (an action that the list does not name)."""
    home = write(
        tmp_path,
        line(902, WALK, 1),
        *(line(903, WALK, 1), line(903, WALK, 2)),
        *(line(904, WALK, 1), line(904, TALK, 2)),
    )
    assert [times for _, *times in stretches(home, AVACollection(people=people))] == expected


def test_two_who_walk_together_are_one_stretch(tmp_path):
    home = write(tmp_path, *(line(second, WALK, person) for second in (902, 903) for person in (1, 2)))
    assert stretches(home) == [["walking", 901.5, 903.5]]


def test_nobody_is_named_because_numbers_link_neighbouring_seconds_only(tmp_path):
    assert list_videos(AVA, write(tmp_path, line(902, WALK, 1)))["subject"].tolist() == [None]


def test_excluded_key_frames_are_left_out(tmp_path):
    rows = [line(second, WALK, 1) for second in (902, 903, 904)]
    home = write(tmp_path, *rows, excluded="film,0903\nother,0902\n")
    assert stretches(home) == [["walking", 901.5, 902.5], ["walking", 903.5, 904.5]]


def test_times_count_from_where_cut_files_start(tmp_path):
    home = write(tmp_path, line(902, WALK, 1))
    assert stretches(home, AVACollection(starts_at_s=900.0)) == [["walking", 1.5, 2.5]]
    home = write(tmp_path, line(902, WALK, 1), line(902, WALK, 2))
    with pytest.raises(DataFormatError, match=r"ava_train_v2.2.csv, line 1: .*starts at -0.5 s"):
        stretches(home, AVACollection(starts_at_s=902.0))


@pytest.mark.parametrize("starts_at_s", [-1.0, float("nan"), "900"])
def test_a_start_that_is_no_time_is_told(starts_at_s):
    with pytest.raises(DataFormatError, match="starts_at_s must be a finite number"):
        AVACollection(starts_at_s=starts_at_s)


@pytest.mark.parametrize("people", ["main", ("same", "any"), None])
def test_an_unknown_choice_of_people_is_told(people):
    with pytest.raises(UnknownNameError, match=r"people: There is no .*; there is same, alone, any"):
        AVACollection(people=people)


def test_both_kinds_of_action_lists_are_read_and_the_longer_one_counts(tmp_path):
    home = write(tmp_path, line(902, SIT, 1))
    short = 'item {\n  name: "walk"\n  id: 14\n}\n'
    (home / "ava_action_list_v2.2_for_activitynet_2019.pbtxt").write_text(short)
    assert AVA.classes(home) == ["sit", "walk", "run_jog"]
    (home / "ava_action_list_v2.2.pbtxt").unlink()
    assert AVA.classes(home) == ["walk"]


def test_the_newest_version_counts_and_may_lie_in_annotations(tmp_path):
    write(tmp_path / "annotations", line(902, SIT, 1), version="2.1")
    write(tmp_path / "annotations", line(902, WALK, 1), version="2.2")
    assert stretches(tmp_path) == [["walking", 901.5, 902.5]]


def test_numbers_of_the_label_table_are_those_of_the_sample():
    table = names_by_id("ava", "activity")
    listed = set(AVA.classes(SAMPLE))
    assert set(table.values()) < listed
    assert {table[WALK], table[SIT]} == {"walk", "sit"}


def test_clips_of_the_sample_lie_in_the_cut_film():
    with pytest.warns(DataWarning, match=r"lacks 1 of the videos of ava.*: har-virtua2"):
        clips = load_videos(AVACollection(starts_at_s=900.0), SAMPLE)
    assert [(clip.label, clip.start_s, clip.stop_s) for clip in clips] == [
        ("walking", 3.5, 5.5),
        ("standing", 6.5, 7.5),
        ("running", 7.5, 8.5),
    ]
    assert {clip.path.name for clip in clips} == {"har-virtua1.mp4"}
    assert list_videos(AVA, SAMPLE)["split"].tolist() == ["train", "train", "train", "val", "val"]


@pytest.mark.parametrize(
    "bad",
    [
        "film,nan,0.1,0.2,0.3,0.4,14,1\n",
        line(-5, WALK, 1),
        line(902.5, WALK, 1),
        line(904, "1.5", 1),
        line(904, WALK, "nan"),
        line(904, "-1", 1),
    ],
)
def test_a_row_that_makes_no_sense_is_named_by_its_line_or_left_out(tmp_path, bad):
    home = write(tmp_path, line(902, WALK, 1), bad, line(903, WALK, 1))
    with pytest.raises(DataFormatError, match=r"ava_train_v2.2.csv, line 2: .*not all whole numbers"):
        stretches(home)
    with pytest.warns(DataWarning, match=r"left out: .*line 2: "):
        assert stretches(home, errors="warn") == [["walking", 901.5, 903.5]]


@pytest.mark.parametrize(
    "bad", ["film,0903,0.1\n", "film,soon,0.1,0.2,0.3,0.4,14,1\n", "film,0903,0.1,0.2,0.3,0.4,,1\n"]
)
def test_a_damaged_table_is_named_by_its_line(tmp_path, bad):
    with pytest.raises(DataFormatError, match=r"ava_train_v2.2.csv, line 2: "):
        stretches(write(tmp_path, line(902, WALK, 1), bad))


@pytest.mark.parametrize(
    ("actions", "number"),
    [
        (f'{LIST}label {{\n  name: "walk"\n  label_id: 15\n}}\n', 16),
        (f'{LIST}label {{\n  name: "run"\n  label_id: 14\n}}\n', 16),
        (f"{LIST}label {{\n  label_id: 15\n}}\n", 16),
        (f'{LIST}label {{\n  name: "run"\n', 16),
        ("", 1),
        ("walk", 1),
    ],
)
def test_a_damaged_list_of_actions_is_named_by_its_line(tmp_path, actions, number):
    with pytest.raises(DataFormatError, match=f"ava_action_list_v2.2.pbtxt, line {number}: .*no action with a name"):
        stretches(write(tmp_path, line(902, WALK, 1), actions=actions))


def test_a_missing_list_of_actions_is_told(tmp_path):
    (write(tmp_path, line(902, WALK, 1)) / "ava_action_list_v2.2.pbtxt").unlink()
    with pytest.raises(DataFormatError, match=r"has no ava_action_list_v2.2.pbtxt"):
        stretches(tmp_path)


def test_fetch_unpacks_an_archive_that_is_there(tmp_path):
    with zipfile.ZipFile(tmp_path / "ava_v2.2.zip", "w") as archive:
        for path in [*SAMPLE.glob("ava_*")]:
            archive.write(path, f"{path.name}")
    home = fetch_dataset(AVA, tmp_path, accept_terms=True)
    assert len(list_videos(AVA, home)) == 5


@SETTINGS
@given(data=st.data())
def test_damaged_text_is_an_error_or_annotations(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("damaged")
    for name in ("ava_train_v2.2.csv", "ava_action_list_v2.2.pbtxt", "ava_train_excluded_timestamps_v2.2.csv"):
        text = bytearray((SAMPLE / name).read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            start = data.draw(st.integers(0, len(text) - 1))
            text[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8))
        (home / name).write_bytes(text)
    try:
        found = [*AVA.read(home, AVA.classes(home))]
    except DataFormatError:
        return
    assert all(isinstance(each, Annotation | DataFormatError) for each in found)


def test_the_sample_is_what_its_script_writes(tmp_path):
    module = script_of(SAMPLE)
    for path in module.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()
    assert probe_video(SAMPLE / module.VIDEO).duration_s == pytest.approx(module.LENGTH_S, abs=0.1)


def test_the_card_names_the_files_and_every_mapped_class():
    card = AVA.describe()
    for name in ("ava_train_v2.2.csv", "ava_action_list_v2.2.pbtxt", *names_by_id("ava", "activity").values()):
        assert name in card


def test_actions_with_a_common_label_have_the_published_numbers():
    assert names_by_id("ava", "activity") == {
        **{6: "get_up", 7: "jump_leap", 8: "lie_sleep", 10: "run_jog"},
        **{11: "sit", 12: "stand", 14: "walk"},
    }


def test_films_that_were_cut_and_are_read_as_whole_are_not_complete():
    survey = survey_dataset(AVACollection(), SAMPLE)
    (text,) = survey.short.values()
    assert text == (
        "har-virtua1: annotated from 903.5 s, in 3 stretches, but the file lasts 10 s; was it cut? "
        "AVACollection(starts_at_s=900) reads films that were cut there."
    )
    assert not survey.complete
    assert survey_dataset(AVACollection(starts_at_s=900), SAMPLE).short == {}


def test_where_key_frames_do_not_count_the_error_says_so(tmp_path):
    home = write(tmp_path, line(902, WALK, 1), line(902, SIT, 2))
    with pytest.raises(
        DataFormatError, match=r"no annotation of .* there\. people='same' leaves key frames out; .*'any'"
    ):
        list_videos(AVA, home)
    assert len(list_videos(AVACollection(people="any"), home)) == 2


def test_clips_of_anybody_can_be_converted(tmp_path):
    actions = [(WALK, 1), (SIT, 2), (WALK, 3)]
    home = write(tmp_path, *(line(2, *action) for action in actions), line(5, WALK, 1), line(5, WALK, 2))
    (home / "film.mp4").touch()
    with pytest.warns(DataWarning, match=r"1 stretches were left out, .*film\.mp4 \(sitting, walking\)"):
        clips = load_videos(AVACollection(people="any"), home)
    folder = convert_videos(clips, tmp_path / "out", sites=["waist"], overlay=False, cache_dir=False)
    assert [path.name for path in folder.glob("*.json")] == ["film_4.5-5.5.json"]
