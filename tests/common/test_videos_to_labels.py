"""Whole clips to labels in one scikit-learn Pipeline, with a clip in which there is nobody."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from har_virtual import VideoToVirtualIMU
from har_virtual.features import ECDFFeatures
from har_virtual.video import write_video
from har_virtual.windows import drop_empty


@pytest.fixture(scope="module")
def imu(motion_cache):
    return VideoToVirtualIMU(sites=["left_wrist"], sampling_rate_hz=30, cache_dir=motion_cache)


@pytest.fixture(scope="module")
def nobody(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "nobody.mp4"
    write_video(path, [np.full((60, 80, 3), 90, dtype=np.uint8)] * 40, frame_rate_hz=30)
    return path


def test_videos_go_in_and_labels_come_out(imu, demo_video):
    model = Pipeline([("imu", imu), ("ecdf", ECDFFeatures()), ("rf", RandomForestClassifier(5, random_state=0))])
    model.fit([demo_video, demo_video], ["running", "running"])
    assert model.predict([demo_video]).tolist() == ["running"]
    assert model["ecdf"].get_feature_names_out()[0] == "left_wrist_acc_x_ecdf_0"


def test_a_clip_without_a_person_is_a_row_of_nan_and_can_be_left_out_before(imu, demo_video, nobody):
    clips, y = [nobody, demo_video], ["sitting", "running"]
    streams = imu.fit_transform(clips)
    assert len(streams[0]) == 0 and "nobody was tracked" in imu.report_.loc[0, "reason"]
    features = ECDFFeatures().fit_transform(streams)
    assert np.isnan(features[0]).all() and np.isfinite(features[1]).all()
    streams, y = drop_empty(streams, y)
    assert len(streams) == 1 and y == ["running"]
