import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_virtual.exceptions import DataFormatError
from har_virtual.model_selection import split_clips


def make_clips(n_clips_of_class, rows_per_clip=4):
    """Clips of one label each, their rows mixed."""
    labels = np.repeat(list(n_clips_of_class), list(n_clips_of_class.values()))
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(len(labels)), rows_per_clip))
    return np.char.add("clip ", rows.astype(str)), labels[rows]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from("abc")), min_size=1, max_size=60),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5), (1.0,), (0.1, 0.0, 0.9), (0.6, 0.2, 0.1, 0.1)]),
    st.integers(0, 5),
)
def test_each_row_is_in_one_part_and_no_clip_in_two_whatever_the_clips_are(rows, fractions, seed):
    clips, labels = (np.array(column) for column in zip(*rows, strict=True))
    parts = split_clips(clips, labels, fractions, random_state=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(rows)))
    assert len(parts) == len(fractions)
    of_parts = [set(clips[part]) for part in parts]
    assert sum(map(len, of_parts)) == len(set(clips))
    assert set(labels[parts[0]]) == set(labels)
    assert all((np.diff(part) > 0).all() for part in parts)
    if any(share and not len(part) for share, part in zip(fractions, parts, strict=True)):
        # Nobody can spare a clip.
        assert all(len(clips_of_part) <= 1 for clips_of_part in of_parts[1:])
        trained = clips[parts[0]], labels[parts[0]]
        assert all(set(trained[1][trained[0] != clip]) < set(labels) for clip in of_parts[0])


def test_each_class_is_split_by_the_fractions():
    clips, labels = make_clips({"sit": 20, "walk": 40})
    train, validation, test = split_clips(clips, labels, random_state=0)
    assert [np.count_nonzero(labels[part] == "sit") for part in (train, validation, test)] == [64, 8, 8]
    assert [np.count_nonzero(labels[part] == "walk") for part in (train, validation, test)] == [128, 16, 16]


def test_classes_of_five_clips_spare_clips_for_the_test_as_well():
    clips, labels = make_clips({f"class {number}": 5 for number in range(10)})
    assert [len(part) for part in split_clips(clips, labels, random_state=0)] == [160, 20, 20]


def test_unequal_clips_are_counted_by_their_rows():
    clips = np.repeat(np.arange(30), np.arange(1, 31))
    for seed in range(5):
        train, test = split_clips(clips, np.zeros(len(clips)), (0.5, 0.5), random_state=seed)
        assert abs(len(train) - len(test)) <= 30


def test_the_only_clip_of_a_class_trains():
    clips, labels = make_clips({"rare": 1, "walk": 30})
    for seed in range(5):
        assert "rare" in labels[split_clips(clips, labels, (0.1, 0.9), random_state=seed)[0]]


def test_three_clips_of_all_classes_go_one_to_each_part():
    clips = np.repeat(["ann", "ben", "eve"], 6)
    parts = split_clips(clips, np.tile(["sit", "walk"], 9), random_state=0)
    assert sorted(clips[part][0] for part in parts) == ["ann", "ben", "eve"]


def test_a_part_stays_empty_rather_than_a_class_untrained():
    train, validation, test = split_clips(["a", "b"], ["sit", "walk"], random_state=0)
    assert train.tolist() == [0, 1]
    assert not len(validation)
    assert not len(test)


def test_a_part_of_several_clips_spares_one_where_the_first_has_only_one():
    clips = np.repeat(["a", "b", "c"], 10)
    parts = split_clips(clips, np.zeros(30), (0.2, 0.7, 0.1), random_state=0)
    assert sorted(clips[part][0] for part in parts) == ["a", "b", "c"]


def test_clips_of_the_class_that_fewest_have_are_drawn_first():
    # Two clips are of both classes; were "walk" drawn first, they could both go to one part.
    clips, labels = np.repeat(np.arange(8), 2), np.array([*["walk", "yawn"] * 2, *["walk"] * 12])
    for seed in range(8):
        parts = split_clips(clips, labels, (0.5, 0.5), random_state=seed)
        assert [np.count_nonzero(labels[part] == "yawn") for part in parts] == [1, 1]


def test_each_class_trains_though_a_clip_of_it_was_drawn_for_another():
    clips, labels = [0, 1, 1, 2, 3], np.array(["sit", "sit", "walk", "walk", "walk"])
    for seed in range(8):
        train, _ = split_clips(clips, labels, (0.1, 0.9), random_state=seed)
        assert set(labels[train]) == {"sit", "walk"}


def test_rows_of_all_classes_of_a_clip_count():
    # The only clip of "sit" trains, and with it half of the rows of "walk".
    clips, labels = [0, 0, 0, 1, 2], ["sit", "walk", "walk", "walk", "walk"]
    for fractions in ((0.5, 0.5), (0.1, 0.9)):
        assert split_clips(clips, labels, fractions, random_state=0)[0].tolist() == [0, 1, 2]


def test_a_part_too_small_for_any_clip_has_the_smallest():
    clips = np.repeat(["long", "short", "middle"], [10, 1, 5])
    for seed in range(4):
        assert split_clips(clips, np.zeros(16), (0.98, 0.02), random_state=seed)[1].tolist() == [10]


def test_a_part_without_a_share_stays_empty():
    clips, labels = make_clips({"sit": 20})
    train, validation, test = split_clips(clips, labels, (0.9, 0.1, 0.0), random_state=0)
    assert (len(train), len(validation), len(test)) == (72, 8, 0)


def test_the_seed_decides_the_draw():
    clips, labels = make_clips({"sit": 20, "walk": 20})
    first, again, other = (split_clips(clips, labels, random_state=seed) for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[2], other[2])
    generator = split_clips(clips, labels, random_state=np.random.default_rng(1))
    assert all(map(np.array_equal, first, generator))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, ["sit"]), "clips is missing"),
        ((["a"], None), "y is missing"),
        (([0.0, np.nan], ["sit", "sit"]), "1 missing values"),
        ((["a", None], ["sit", "sit"]), "1 missing values"),
        (([], []), "no rows"),
        ((["a"], ["sit"], (0.8, 0.1)), "1 in sum"),
        ((["a"], ["sit"], (1.1, -0.1)), "0 or more"),
        ((["a"], ["sit"], (0.0, 1.0)), "first part trains"),
        ((["a"], ["sit"], ()), "1 in sum"),
        ((["a"], ["sit"], None), "1 in sum; they are None"),
        ((["a"], ["sit"], (1.0, "a tenth")), "they are .*a tenth"),
        ((["a"], ["sit"], (1.0, np.nan)), "1 in sum"),
    ],
)
def test_what_is_no_split_is_refused(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        split_clips(*arguments)


def test_clips_and_labels_of_different_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        split_clips(["a", "b"], ["sit"])


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(DataFormatError, match="random_state"):
        split_clips(["a"], ["sit"], random_state="0")
