"""A survey reads everything, stops at nothing, and counts a session's time once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_dataset import Tiny, csv, tiny_files, write_tiny

from har_virtual.datasets.base import Reading, Task
from har_virtual.datasets.survey import Survey, format_table, survey_dataset, union_s
from har_virtual.exceptions import DataFormatError, UnknownNameError

FUZZ = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@pytest.fixture
def home(tmp_path):
    return write_tiny(tmp_path / "Tiny_Data")


def test_a_complete_download_is_complete(home):
    survey = survey_dataset(Tiny(), home.parent)
    assert survey.complete
    assert survey.home == home
    assert survey.there == tuple(sorted(tiny_files()))
    assert (survey.missing, dict(survey.damaged), survey.notes) == ((), {}, ())
    assert survey.describe().startswith(f"Tiny in {home}\nComplete: 4 files are there, 0 missing, 0 damaged.\n")


def test_the_time_of_two_devices_counts_once(home):
    minutes = survey_dataset(Tiny(), home).minutes
    assert minutes.columns.tolist() == ["walking", "sitting", "unlabelled", "total"]
    assert minutes.loc["p1"].tolist() == pytest.approx([1.0, 0.5, 0.1, 1.6])
    assert minutes.loc["p2"].tolist() == pytest.approx([1.5, 0, 0, 1.5])
    assert minutes.loc["total"].tolist() == pytest.approx([2.5, 0.5, 0.1, 3.1])


def test_the_time_that_only_one_device_has_counts_too(home):
    (home / "data/p2_right_ankle.csv").write_bytes(csv(walking=120))
    assert survey_dataset(Tiny(), home).minutes.loc["p2", "walking"] == pytest.approx(2.0)


def test_what_one_device_labels_is_not_unlabelled(home):
    (home / "data/p2_right_ankle.csv").write_bytes(csv(nothing=120))
    assert survey_dataset(Tiny(), home).minutes.loc["p2"].tolist() == pytest.approx([1.5, 0, 0.5, 2.0])


def test_time_is_counted_on_the_clock_that_devices_share(home):
    class Late(Tiny):
        def read(self, home, part):
            left, right = super().read(home, part).recordings
            return Reading([left.replace(start_s=100.0), right.replace(start_s=130.0)], [])

    # p2 walks from 100 to 190 s and from 130 to 220 s.
    assert survey_dataset(Late(), home).minutes.loc["p2"].tolist() == pytest.approx([2.0, 0, 0, 2.0])
    # p1 sits from 166 to 196 s and from 196 to 226 s, and has no label from 160 to 166 s, while the other walks.
    assert survey_dataset(Late(), home).minutes.loc["p1"].tolist() == pytest.approx([1.5, 1.0, 0, 2.5])


def test_virtual_sensors_add_no_time(home):
    class WithVirtual(Tiny):
        def read(self, home, part):
            recordings, notes, _ = super().read(home, part)
            return Reading([*recordings, recordings[0].replace(domain="virtual", start_s=1000.0)], notes)

    assert survey_dataset(WithVirtual(), home).minutes.equals(survey_dataset(Tiny(), home).minutes)


def test_classes_outside_the_task_are_unlabelled(home):
    class WithTasks(Tiny):
        tasks = {"all": Task(), "rest": Task(("sitting",))}  # noqa: RUF012

    assert survey_dataset(WithTasks(), home).minutes.columns.tolist() == ["sitting", "walking", "unlabelled", "total"]
    rest = survey_dataset(WithTasks(), home, task="rest").minutes
    assert rest.loc["total"].tolist() == pytest.approx([0.5, 2.6, 3.1])
    with pytest.raises(UnknownNameError, match="all, rest"):
        survey_dataset(WithTasks(), home, task="work")


def test_a_missing_file_is_named_and_the_rest_is_read(home):
    (home / "data/p1_left_wrist.csv").unlink()
    survey = survey_dataset(Tiny(), home)
    assert not survey.complete
    assert survey.missing == ("data/p1_left_wrist.csv",)
    assert survey.minutes.loc["total", "total"] == pytest.approx(3.1)
    assert "Missing: data/p1_left_wrist.csv.\n  `har-virtual datasets info tiny` says how" in survey.describe()


def test_people_of_whom_nothing_is_there_are_named(home):
    assert survey_dataset(Tiny(), home).absent == ()
    for path in home.glob("data/p2_*"):
        path.unlink()
    survey = survey_dataset(Tiny(), home)
    assert survey.absent == ("p2",)
    assert "\nNo file of subjects: p2.\n" in survey.describe()


def test_a_damaged_file_is_named_with_its_reason_and_stops_nothing(home):
    (home / "data/p1_right_ankle.csv").write_text("1,walking,again", encoding="utf-8")
    survey = survey_dataset(Tiny(), home)
    assert not survey.complete
    assert list(survey.damaged) == ["data/p1_right_ankle.csv"]
    assert "line 1: a reading and a label are needed" in survey.damaged["data/p1_right_ankle.csv"]
    assert survey.minutes.index.tolist() == ["p2", "total"]
    assert "Not complete: 4 files are there, 0 missing, 1 damaged.\nDamaged:\n" in survey.describe()
    assert "errors='warn'" in survey.describe()


def test_a_file_that_cannot_be_read_is_damaged(home):
    (home / "data/p2_left_wrist.csv").unlink()
    (home / "data/p2_left_wrist.csv").symlink_to(home / "nowhere")
    survey = survey_dataset(Tiny(), home)
    assert survey.missing == ("data/p2_left_wrist.csv",)
    assert "No such file" in survey.damaged["data/p2_left_wrist.csv"]


def test_nothing_readable_is_an_empty_table(home):
    for path in home.rglob("*.csv"):
        path.write_bytes(b"?")
    survey = survey_dataset(Tiny(), home)
    assert survey.minutes.index.tolist() == ["total"]
    assert survey.minutes.to_numpy().sum() == 0
    assert len(survey.damaged) == 2


def test_notes_of_the_loader_and_short_files_are_told(home):
    class Counted(Tiny):
        def published_rows(self, file):
            return 900 if "p2" in file else None

    (home / "data/p2_left_wrist.csv").write_bytes(csv(walking=12))
    survey = survey_dataset(Counted(), home)
    assert survey.notes == ("data/p2_left_wrist.csv is short.",)
    assert survey.short["data/p2_left_wrist.csv"].endswith("has 120 of the 900 rows that were published.")
    assert not survey.missing
    assert not survey.damaged
    assert not survey.complete
    assert "data/p2_left_wrist.csv is short." in survey.describe()
    assert "Not complete: 4 files are there, 0 missing, 0 damaged, 1 cut short." in survey.describe()


def test_rows_that_the_loader_filled_in_are_not_there(home):
    class Filled(Tiny):
        def published_rows(self, file):
            return 900

        def read(self, home, part):
            recordings, notes, _ = super().read(home, part)
            return Reading([r.replace(attrs={**r.attrs, "missing_rows": 60}) for r in recordings], notes)

    # 960 rows of p1 without the 60 are all 900, and 900 of p2 are 840.
    assert list(survey_dataset(Filled(), home).short.values()) == [
        f"data/p2_{device}.csv has 840 of the 900 rows that were published." for device in ("left_wrist", "right_ankle")
    ]


def test_a_file_for_all_is_named_before_those_of_one_person(home):
    class Larger(Tiny):
        def published(self):
            return [*super().published(), *(f"data/{number}.csv" for number in range(30)), "table.csv"]

    assert "Missing: table.csv, data/0.csv" in survey_dataset(Larger(), home).describe()


def test_a_folder_of_which_all_is_missing_is_named_once(home):
    class Larger(Tiny):
        def published(self):
            return [*super().published(), *(f"video/{number}.mp4" for number in range(30))]

    assert "Missing: video/*." in survey_dataset(Larger(), home).describe()


def test_files_that_were_never_published_are_there_too(home):
    (home / "data/p3_left_wrist.csv").write_bytes(csv(walking=60))
    survey = survey_dataset(Tiny(), home)
    assert survey.complete
    assert survey.there[-1] == "data/p3_left_wrist.csv"
    assert survey.minutes.loc["p3", "walking"] == pytest.approx(1.0)


def test_another_folder_is_an_error_that_names_the_right_one(home, tmp_path):
    with pytest.raises(DataFormatError, match=rf"pass {home}"):
        survey_dataset(Tiny(), home / "data")
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        survey_dataset(Tiny(), tmp_path / "nowhere")


def test_an_unknown_data_set_is_an_error_that_lists_those_there_are(tmp_path):
    with pytest.raises(UnknownNameError, match="pamap2"):
        survey_dataset("pamap3", tmp_path)


def test_nothing_is_written(home, tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    survey_dataset(Tiny(), home, n_jobs=2)
    assert not (tmp_path / "cache").exists()


def table(n_subjects: int, classes: list[str], value: float = 12.3) -> pd.DataFrame:
    names = [*(f"s{number:02d}" for number in range(n_subjects)), "total"]
    return pd.DataFrame(value, index=pd.Index(names, name="subject"), columns=[*classes, "unlabelled", "total"])


def test_subjects_are_the_rows_where_that_fits():
    lines = format_table(table(30, ["walking", "sitting"])).splitlines()
    assert lines[0].split() == ["subject", "walking", "sitting", "unlabelled", "total"]
    assert len(lines) == 32


def test_many_classes_are_the_rows_where_that_fits():
    lines = format_table(table(8, [f"class_number_{number}" for number in range(27)])).splitlines()
    assert lines[0].split()[1:] == [f"s{number:02d}" for number in range(8)] + ["total"]
    assert len(lines) == 30


def test_a_table_that_fits_neither_way_is_cut_between_columns():
    text = format_table(table(60, [f"class_number_{number}" for number in range(27)]))
    assert text.count("class_number_13 ") == len(text.split("\n\n")) > 1
    assert text.split().count("12.3") == 61 * 29
    assert max(map(len, text.splitlines())) <= 100


def test_nothing_is_a_dash_and_little_time_has_two_decimals():
    minutes = table(1, ["walking"], 0.0)
    minutes.loc["s00", "walking"] = 0.05
    assert format_table(minutes).splitlines()[1].split() == ["s00", "0.05", "-", "-"]
    minutes.loc["s00", "walking"] = 12.06
    assert "12.1" in format_table(minutes)


@FUZZ
@given(st.integers(0, 70), st.lists(st.text("abcxyz_", min_size=1, max_size=30), max_size=30, unique=True))
def test_no_table_is_wider_than_100_columns(n_subjects, classes):
    text = format_table(table(n_subjects, classes, 1234.5))
    assert max(map(len, text.splitlines())) <= 100
    assert text.split().count("1234.5") == (n_subjects + 1) * (len(classes) + 2)


@FUZZ
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), max_size=12))
def test_time_that_spans_share_counts_once(spans):
    seconds = {second for start, length in spans for second in range(start, start + length)}
    assert union_s([(float(start), float(start + length)) for start, length in spans]) == len(seconds)


def test_many_classes_without_a_minute_are_named_above_the_table():
    classes = {f"class_{number}": [0.0, 0.0] for number in range(31)}
    minutes = pd.DataFrame({**classes, "walking": [1.0, 1.0], "unlabelled": 0.0, "total": 1.0}, index=["p1", "total"])
    few = minutes.drop(columns="class_0")
    survey = Survey("tiny", "tiny", Path("home"), ("a.csv",), (), (), {}, {}, (), minutes.rename_axis("subject"))
    text = survey.describe()
    assert "Complete: 1 file is there" in text
    above, table = text.split("Minutes of each class:")
    assert "Nothing of 31 classes: class_0, class_1" in above
    assert "class_" not in table
    assert (
        "class_30" in replace(survey, minutes=few.rename_axis("subject")).describe().split("Minutes of each class:")[1]
    )
