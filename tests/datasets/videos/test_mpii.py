from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of
from scipy.io import loadmat

from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.mpii import MPII, MPIICollection
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.recording import VideoClip
from har_virtual.testing import check_video_collection

SAMPLE = Path(__file__).parents[3] / "datasets" / "mpii"
FILE = "mpii_human_pose_v1_u12_1.mat"
KEYFRAMES = "mpii_human_pose_v1_sequences_keyframes.mat"
TALKING = "sitting_talking_in_person_on_the_phone_computer_or_text_messaging_light_effort"
BIKE, ROPE = "bicycling_mountain", "rope_skipping_general"
SEQUENCES = MPIICollection("sequences")
pytestmark = pytest.mark.filterwarnings(r"ignore:.*lacks \d of the videos")

script = script_of(SAMPLE)


def image(second: int | None, video: int | None = 1, activity: str = "rope skipping, general", trains: bool = True):
    return script.Image("1.jpg", "a category", activity, 1, video, second, trains)


def write(home: Path, *images, **changes) -> Path:
    release = {**script.release(tuple(images)), **changes}
    return script.write_mat(
        home / FILE, {"RELEASE": {name: value for name, value in release.items() if value is not None}}
    )


def stretches(home: Path, **options) -> list[list]:
    table = list_videos(MPIICollection(**options), home, labels="own")
    return table[["video", "start_s", "stop_s"]].to_numpy().tolist()


def test_the_sample_passes_the_battery():
    check_video_collection(MPII, SAMPLE)
    check_video_collection(MPII, SAMPLE, labels="own")
    check_video_collection(SEQUENCES, SAMPLE)


def test_the_sample_is_what_its_script_writes(tmp_path):
    for path in script.write_sample(tmp_path):
        committed = SAMPLE / path.relative_to(tmp_path)
        assert committed.is_file()
        assert path.suffix != ".mat" or committed.read_bytes() == path.read_bytes()


def test_the_sample_has_the_layout_of_the_published_file():
    release = loadmat(SAMPLE / FILE, struct_as_record=False)["RELEASE"][0, 0]
    assert release._fieldnames == ["annolist", "img_train", "version", "single_person", "act", "video_list"]
    n_images = release.annolist.shape[1]
    assert release.annolist.shape == release.img_train.shape == (1, n_images)
    assert release.act.shape == release.single_person.shape == (n_images, 1)
    assert release.annolist[0, 0]._fieldnames == ["image", "annorect", "frame_sec", "vididx"]
    assert release.act[0, 0]._fieldnames == ["cat_name", "act_name", "act_id"]


def test_classes_are_the_activities_in_the_file():
    assert MPII.classes(SAMPLE) == [BIKE, ROPE, TALKING]


def test_stretches_around_images_are_clips_and_those_that_meet_are_one():
    table = list_videos(MPII, SAMPLE, labels="own")
    assert table[["video", "name", "start_s", "stop_s", "split"]].to_numpy().tolist() == [
        ["sampleRope1", ROPE, 1.5, 10.5, "train"],
        ["sampleBike1", BIKE, 0.0, 3.5, "train"],
        ["sampleBike1", BIKE, 27.5, 32.5, "train"],
        ["sampleSofa1", TALKING, 9.5, 14.5, "train"],
    ]
    assert load_videos(MPII, SAMPLE) == [
        VideoClip(SAMPLE / "videos" / "sampleRope1.mp4", 1.5, 10.5, "rope_jumping", "video:sampleRope1")
    ]


def test_the_margin_tells_how_far_an_image_reaches(tmp_path):
    write(tmp_path, image(10), image(20), image(14))
    assert stretches(tmp_path, margin_s=1) == [["sampleRope1", *each] for each in ([9, 11], [13, 15], [19, 21])]
    assert stretches(tmp_path, margin_s=2) == [["sampleRope1", 8, 16], ["sampleRope1", 18, 22]]
    assert stretches(tmp_path, margin_s=3) == [["sampleRope1", 7, 23]]
    with pytest.raises(DataFormatError, match="margin_s"):
        MPIICollection(margin_s=0)


def test_stretches_of_two_activities_or_two_videos_stay_apart(tmp_path):
    write(tmp_path, image(10), image(11, activity="running"), image(11, video=2))
    assert stretches(tmp_path) == [
        ["sampleRope1", 7.5, 12.5],
        ["sampleRope1", 8.5, 13.5],
        ["sampleBike1", 8.5, 13.5],
    ]


def test_stretches_of_training_and_test_images_stay_apart(tmp_path):
    write(tmp_path, image(10), image(11, trains=False))
    assert list_videos(MPII, tmp_path)["split"].tolist() == ["train", "test"]


def test_an_image_without_a_sequence_is_left_out(tmp_path):
    write(tmp_path, image(10), image(20))
    frames = [{"image": {"name": name}} for name in ("none.jpg", "7/00000020.jpg")]
    script.write_mat(tmp_path / KEYFRAMES, {"annolist_keyframes": script.structs((1, 2), frames)})
    assert list_videos(SEQUENCES, tmp_path)["video"].tolist() == ["7"]


def test_withheld_activities_and_images_without_a_video_are_left_out(tmp_path):
    write(tmp_path, image(3), image(40, activity="", trains=False), image(None, video=None))
    assert stretches(tmp_path) == [["sampleRope1", 0.5, 5.5]]
    assert MPII.classes(tmp_path) == [ROPE]


def test_videos_can_be_seen_at_their_address():
    assert list_videos(MPII, SAMPLE)["address"].tolist()[:2] == [
        "https://www.youtube.com/watch?v=sampleRope1&t=1s",
        "https://www.youtube.com/watch?v=sampleBike1&t=0s",
    ]


def test_a_sequence_is_the_folder_that_the_mapping_names():
    table = list_videos(SEQUENCES, SAMPLE, labels={BIKE: "cycling", ROPE: "rope_jumping"})
    assert table[["video", "label"]].to_numpy().tolist() == [
        *(["1", "rope_jumping"], ["2", "rope_jumping"], ["3", "cycling"], ["4", "cycling"], ["7", "cycling"])
    ]
    assert load_videos(SEQUENCES, SAMPLE, activities="rope_jumping") == [
        VideoClip(SAMPLE / "sequences" / "1.mp4", label="rope_jumping", subject="video:1")
    ]


def test_sequences_need_the_mapping_of_the_same_images(tmp_path):
    write(tmp_path, image(3))
    with pytest.raises(DataFormatError, match=f"has no {KEYFRAMES}"):
        list_videos(SEQUENCES, tmp_path)
    (tmp_path / KEYFRAMES).write_bytes((SAMPLE / KEYFRAMES).read_bytes())
    with pytest.raises(DataFormatError, match=r"is of 7 images, .* of 1; both must be of the same release"):
        list_videos(SEQUENCES, tmp_path)
    with pytest.raises(UnknownNameError, match="media must be youtube or sequences, not 'films'"):
        MPIICollection("films")


@pytest.mark.parametrize("video", [0, 4, 300])
def test_an_image_of_a_video_that_is_not_in_the_list_is_named(tmp_path, video):
    write(tmp_path, image(3), image(4, video=video))
    with pytest.raises(DataFormatError, match=rf"image 2 \(1\.jpg\): .* video {video} .* there are 3 videos"):
        list_videos(MPII, tmp_path)
    with pytest.warns(DataWarning, match="image 2"):
        assert len(list_videos(MPII, tmp_path, errors="warn")) == 1


@pytest.mark.parametrize("second", [-1.0, np.inf])
def test_an_image_before_the_start_or_after_all_time_is_named(tmp_path, second):
    release = script.release((image(3),))
    release["annolist"]["frame_sec"][0, 0] = np.float64(second)
    write(tmp_path, image(3), annolist=release["annolist"])
    with pytest.raises(DataFormatError, match=r"image 1 .*time counts from 0"):
        list_videos(MPII, tmp_path)


def test_parts_of_different_length_are_refused(tmp_path):
    write(tmp_path, image(3), image(4), img_train=np.ones((1, 3)))
    with pytest.raises(DataFormatError, match="2 images, the activities of 2 and the part of 3"):
        list_videos(MPII, tmp_path)


def test_a_file_that_lacks_a_field_is_refused(tmp_path):
    write(tmp_path, image(3), act=None)
    with pytest.raises(DataFormatError, match=rf"{FILE}.*no field act, but annolist"):
        list_videos(MPII, tmp_path)


def test_videos_that_are_all_absent_are_named(tmp_path):
    write(tmp_path, image(3))
    with pytest.raises(VideoError, match=r"none of the 1 videos .*sampleRope1.*list_videos\('mpii'"):
        load_videos(MPII, tmp_path)


def test_a_changed_file_is_read_anew(tmp_path):
    write(tmp_path, image(3))
    assert stretches(tmp_path) == [["sampleRope1", 0.5, 5.5]]
    write(tmp_path, image(30))
    assert stretches(tmp_path) == [["sampleRope1", 27.5, 32.5]]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_damaged_bytes_give_annotations_or_a_named_file(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("home")
    whole = (SAMPLE / FILE).read_bytes()
    content = bytearray(zlib.decompress(whole[136:]))
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1)
    ):
        content[place] = byte
    packed = zlib.compress(bytes(content))
    (home / FILE).write_bytes(whole[:128] + np.array([15, len(packed)], dtype="<u4").tobytes() + packed)
    try:
        found = list(MPII.read(home, MPII.classes(home)))
    except DataFormatError as error:
        found = [error]
    assert all(isinstance(each, Annotation) or FILE in str(each) for each in found)


def test_activities_with_a_common_label_have_the_names_that_other_readers_use():
    assert set(names_by_id("mpii", "activity").values()) == {
        *("bicycling", "bicycling_mountain", "bicycling_racing_and_road", "bicycling_stationary"),
        *("rope_skipping_general", "running", "jogging", "walking_for_exercise_with_ski_poles", "sitting_quietly"),
        "sitting_talking_in_person_on_the_phone_computer_or_text_messaging_light_effort",
        "standing_doing_work",
    }
