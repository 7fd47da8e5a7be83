"""The command line as a user types it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from har_virtual import Recording, __version__
from har_virtual.cli import app, main


def run(*arguments: object) -> int:
    """Exit status of a command line, in this process."""
    with pytest.raises(SystemExit) as exit_:
        app([str(argument) for argument in arguments])
    return exit_.value.code


@pytest.fixture(autouse=True)
def _cache(motion_cache, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(motion_cache))


def test_it_converts_a_video_and_says_one_line_about_it(demo_video, tmp_path, capfd):
    status = run(
        "convert", demo_video, "--sites", "left_wrist", "right_ankle", "waist", "--out", tmp_path, "--verbose", 0
    )
    assert status == 0
    assert capfd.readouterr() == ("", "")
    assert Recording.load(tmp_path / "sports2d_demo.person2.parquet").channels[-1] == "waist_gyr_z"
    assert (tmp_path / "sports2d_demo.png").stat().st_size > 50_000


def test_failed_videos_get_one_line_each_and_status_1_and_the_others_are_converted(demo_video, tmp_path, capfd):
    (tmp_path / "empty.mp4").touch()
    videos = [tmp_path / "missing.mp4", demo_video, tmp_path / "empty.mp4"]
    status = run("convert", *videos, "--sites", "waist", "--out", tmp_path / "out", "--no-overlay", "--verbose", 0)
    assert status == 1
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"failed: {videos[0]}")
    assert lines[1].startswith(f"failed: {videos[2]}")
    assert (tmp_path / "out" / "sports2d_demo.person1.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("a.mp4 --sites wrist", "There is no site 'wrist'; there are head, chest"),
        ("a.mp4 --sites waist --n-jobs 0", "n_jobs"),
        ("a.mp4 --sites waist --n-jobs two", "n-jobs"),
        ("a.mp4 --sites waist --sampling-rate-hz 0", "sampling_rate_hz"),
        ("--sites waist a.mp4", "Videos come first"),
    ],
)
def test_a_bad_argument_is_one_line_and_no_traceback(tmp_path, monkeypatch, capfd, arguments, said):
    monkeypatch.setattr(sys, "argv", ["har-virtual", "convert", *arguments.split(), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("har-virtual: ")
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_run_says_what_is_doubtful_and_a_second_one_that_it_left_a_video_as_it_was(demo_video, tmp_path, capfd):
    lines = []
    for _ in range(2):
        assert run("convert", demo_video, "--sites", "waist", "--out", tmp_path, "--no-overlay") == 0
        lines.append(capfd.readouterr().err.splitlines())
    # No progress bar either, for this is no terminal.
    assert [len(said) for said in lines] == [3, 2]
    assert "person(s)" in lines[0][0]
    # In his first frames the man is found the wrong way round.
    assert lines[0][1].startswith(f"doubt: {demo_video}: the pelvis turns by")
    assert lines[1][0] == f"{demo_video}: converted before, left as it is"


def test_a_rate_above_the_frame_rate_warns_in_one_line(demo_video, tmp_path, capfd):
    run(
        "convert",
        demo_video,
        "--sites",
        "waist",
        "--out",
        tmp_path,
        "--no-overlay",
        "--sampling-rate-hz",
        100,
        "--verbose",
        0,
    )
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: sampling_rate_hz=100 exceeds the frame rate")


def test_options_reach_the_streams(demo_video, tmp_path):
    options = (
        "--quantities",
        "acc",
        "mag",
        "--no-gravity",
        "--sensor",
        "low",
        "--random-state",
        1,
        "--sampling-rate-hz",
        20,
    )
    assert (
        run("convert", demo_video, "--sites", "chest", "--out", tmp_path, "--no-overlay", *options, "--verbose", 0) == 0
    )
    stream = Recording.load(tmp_path / "sports2d_demo.person1.parquet")
    assert stream.channels == tuple(f"chest_{q}_{a}" for q in ("acc", "mag") for a in "xyz")
    assert stream.sampling_rate_hz == 20
    assert stream.attrs["gravity"] is False


def test_the_program_tells_its_version_and_its_commands():
    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "har_virtual", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert said("--version").strip() == __version__
    assert "convert" in said("--help")
    assert "--sites" in said("convert", "--help")
