"""NTU RGB+D and NTU RGB+D 120: actions filmed by three Kinects at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from har_virtual.datasets.videos._named import NamedVideos, number_of
from har_virtual.datasets.videos.base import Annotation
from har_virtual.exceptions import UnknownNameError

NTU_RGBD_120_CLASSES: tuple[str, ...] = tuple(
    """
    drink_water eat_meal brush_teeth brush_hair drop pick_up throw sit_down stand_up clap
    read write tear_up_paper put_on_jacket take_off_jacket put_on_shoe take_off_shoe put_on_glasses take_off_glasses
    put_on_hat
    take_off_hat cheer_up wave_hand kick_something reach_into_pocket hop jump_up phone_call play_with_phone
    type_on_keyboard
    point_to_something take_selfie check_time rub_hands nod_head shake_head wipe_face salute put_palms_together
    cross_hands_in_front
    sneeze_or_cough stagger fall touch_head touch_chest touch_back touch_neck vomit use_fan punch_other_person
    kick_other_person push_other_person pat_on_back_of_other_person point_finger_at_other_person hug_other_person
    give_something_to_other_person touch_pocket_of_other_person shake_hands walk_towards_each_other
    walk_apart_from_each_other
    put_on_headphones take_off_headphones shoot_at_basket bounce_ball swing_tennis_racket juggle_table_tennis_balls
    hush flick_hair thumb_up thumb_down
    make_ok_sign make_victory_sign staple_book count_money cut_nails cut_paper snap_fingers open_bottle sniff squat_down
    toss_coin fold_paper ball_up_paper play_magic_cube apply_cream_on_face apply_cream_on_hand put_on_bag take_off_bag
    put_something_into_bag take_something_out_of_bag
    open_box move_heavy_objects shake_fist throw_up_cap hands_up cross_arms circle_arms swing_arms run_on_the_spot
    kick_backward
    cross_toe_touch side_kick yawn stretch_oneself blow_nose hit_other_person wield_knife_towards_other_person
    knock_over_other_person grab_stuff_of_other_person shoot_at_other_person
    step_on_foot high_five cheers_and_drink carry_with_other_person take_photo_of_other_person follow_other_person
    whisper_in_ear_of_other_person exchange_things_with_other_person support_somebody rock_paper_scissors
    """.split()
)
"""The actions A001 to A120, shortened; the first 60 are those of NTU RGB+D."""

_NAME = re.compile(r"S(?P<setup>\d{3})C(?P<camera>\d{3})P(?P<subject>\d{3})R\d{3}A(?P<action>\d{3})(?:_rgb)?")
_CAMERAS = (1, 2, 3)
# The persons with whom the authors train; of NTU RGB+D those up to 40.
_TRAIN_SUBJECTS = frozenset(
    (
        *(1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38),
        *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93),
        *(94, 95, 97, 98, 100, 103),
    )
)
_TRAIN_CAMERAS = (2, 3)
# 56,880 videos of the first 60 actions, 57,600 of the others, as many of each.
_N_FIRST, _VIDEOS_PER_CLASS = 60, (948, 960)


class NTURGBDCollection(NamedVideos):
    """NTU RGB+D: 60 actions, setups 1 to 17, 40 persons.

    The name of a video, ``S001C002P003R002A013_rgb.avi``, tells setup, camera, person, replication and action.

    Parameters
    ----------
    protocol : str, default="cross_subject"
        What the splits "train" and "test" divide: "cross_subject" the persons, "cross_view" the cameras (2 and 3 for
        training); of NTU RGB+D 120 "cross_subject" or "cross_setup" (even setups for training).
    cameras : iterable of {1, 2, 3}, default=(1, 2, 3)
        Whose videos to give. All three film the same motion.
    """

    name = "ntu_rgbd"
    title = "NTU RGB+D"
    example = "nturgb+d_rgb/S001C001P001R001A001_rgb.avi"
    folders: ClassVar[tuple[str, ...]] = ("ntu_rgbd", "NTU_RGBD", "nturgb+d_rgb")
    splits = ("train", "test")
    protocols: ClassVar[tuple[str, ...]] = ("cross_subject", "cross_view")
    n_classes: ClassVar[int] = 60
    n_setups: ClassVar[int] = 17

    def __init__(self, protocol: str = "cross_subject", cameras: Iterable[int] = _CAMERAS) -> None:
        if protocol not in self.protocols:
            raise UnknownNameError(f"{self.title}: protocol must be {' or '.join(self.protocols)}, not {protocol!r}.")
        self.protocol = protocol
        self.cameras = tuple(number_of(f"{self.title}: camera", camera, _CAMERAS) for camera in cameras)

    def classes(self, home: Path) -> list[str]:
        """Give the actions in the order of their numbers."""
        return list(NTU_RGBD_120_CLASSES[: self.n_classes])

    def published_videos(self, name: str) -> int | None:
        """Give how many videos of an action the chosen cameras took."""
        first, second = _VIDEOS_PER_CLASS
        each = first if NTU_RGBD_120_CLASSES.index(name) < _N_FIRST else second
        return each * len(self.cameras) // len(_CAMERAS)

    def annotation(self, path: Path) -> Annotation | None:
        """Give what the name of a video tells."""
        parts = _NAME.fullmatch(path.stem)
        if parts is None:
            return None
        setup, camera, subject, action = (int(parts[name]) for name in ("setup", "camera", "subject", "action"))
        if camera not in self.cameras or not 1 <= action <= self.n_classes or not 1 <= setup <= self.n_setups:
            return None
        trains = {
            "cross_subject": subject in _TRAIN_SUBJECTS,
            "cross_view": camera in _TRAIN_CAMERAS,
            "cross_setup": setup % 2 == 0,
        }
        split = "train" if trains[self.protocol] else "test"
        name = NTU_RGBD_120_CLASSES[action - 1]
        return Annotation(path.stem, name, subject=str(subject), split=split, where=str(path))


class NTURGBD120Collection(NTURGBDCollection):
    """NTU RGB+D 120: 120 actions, setups 1 to 32, 106 persons; those of NTU RGB+D are among them."""

    name = "ntu_rgbd_120"
    title = "NTU RGB+D 120"
    example = "nturgb+d_rgb/S018C001P008R001A061_rgb.avi"
    folders = ("ntu_rgbd_120", "NTU_RGBD_120", "NTU_RGBD120", "nturgb+d_rgb")
    protocols = ("cross_subject", "cross_setup")
    n_classes = 120
    n_setups = 32

    def describe(self) -> str:
        """Give the card, which both share."""
        return NTU_RGBD.describe()


NTU_RGBD = NTURGBDCollection()
NTU_RGBD_120 = NTURGBD120Collection()
