"""Augmentations as plain values and back."""

import json

import numpy as np
import pytest

from har_virtual.augmentation import Compose, Crop, Jitter, Permutation, Rotation, describe, from_description
from har_virtual.exceptions import DataFormatError

NAMES = ("chest_acc_x", "chest_acc_y", "chest_acc_z")


def test_a_description_has_the_name_and_every_parameter():
    assert describe(Rotation(0.5, NAMES, p=0.25)) == {
        "name": "Rotation",
        "p": 0.25,
        "max_angle_rad": 0.5,
        "channels": list(NAMES),
    }
    assert describe(Compose([Crop(0.5)])) == {
        "name": "Compose",
        "p": 1.0,
        "steps": [{"name": "Crop", "p": 1.0, "fraction": 0.5}],
    }


def test_what_comes_back_from_json_is_the_same():
    chain = Compose([Rotation(0.1, NAMES), Compose([Permutation(3, 2), Jitter(relative=False)], p=0.1)], p=0.7)
    assert from_description(json.loads(json.dumps(describe(chain)))) == chain


def test_parameters_that_lack_have_their_defaults():
    assert from_description({"name": "Crop"}) == Crop()


def noisier(X, rng):
    return X + rng.normal(size=X.shape)


class Crop2(Crop):
    pass


OwnCrop = type("Crop", (Crop,), {})


@pytest.mark.parametrize("own", [noisier, Crop2(), OwnCrop(), Compose([noisier]), np.sin, None])
def test_a_function_of_one_s_own_cannot_be_described(own):
    with pytest.raises(DataFormatError, match="cannot be described: only Compose, Crop"):
        describe(own)


@pytest.mark.parametrize("wrong", [None, "Crop", {}, {"name": "crop"}, {"name": ["Crop"]}, [], {"name": "os.system"}])
def test_a_description_of_nothing_known_is_refused(wrong):
    with pytest.raises(DataFormatError, match="No augmentation is described by"):
        from_description(wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "Crop", "share": 0.5}, "Crop has no parameter share"),
        ({"name": "Crop", "fraction": 2}, "fraction must be"),
        ({"name": "Compose"}, "steps must be a list"),
        ({"name": "Compose", "steps": ["Crop"]}, "No augmentation is described by 'Crop'"),
        ({"name": "Compose", "steps": None}, "steps must be a list"),
        ({"name": "Compose", "steps": 5}, "steps must be a list"),
        ({"name": "Compose", "steps": {"name": "Crop"}}, "steps must be a list"),
    ],
)
def test_a_description_with_wrong_parameters_is_refused(wrong, message):
    with pytest.raises(DataFormatError, match=message):
        from_description(wrong)
