"""Protocols are small, checked, and known by name."""

from __future__ import annotations

import pytest
from sklearn.base import clone
from sklearn.tree import DecisionTreeClassifier

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import DEFAULT_PROTOCOLS, PROTOCOLS, Protocol
from har_virtual.evaluation.protocols import find_protocols
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.features import ECDFFeatures

CHANNELS = [f"left_wrist_acc_{axis}" for axis in "xyz"]


def test_the_papers_protocols_map_by_one_map_and_do_not_align():
    paper = {name: PROTOCOLS[name] for name in ("R2R", "V2R mapped", "Mix2R mapped")}
    assert {name: (p.train_on, *p.adaptation) for name, p in paper.items()} == {
        "R2R": ("real", False, None),
        "V2R mapped": ("virtual", False, "global"),
        "Mix2R mapped": ("both", False, "global"),
    }


def test_the_default_has_four_variants_of_virtual_to_real():
    variants = [PROTOCOLS[name].adaptation for name in DEFAULT_PROTOCOLS if name.startswith("V2R")]
    assert variants == [(False, None), (False, "global"), (True, None), (True, "per_class")]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_name_says_what_the_pipeline_does(name):
    pipeline = PROTOCOLS[name].pipeline(DecisionTreeClassifier(), channels=CHANNELS, random_state=3)
    steps = pipeline.named_steps
    assert list(steps) == ["align", "map", "features", "clf"]
    assert isinstance(steps["align"], SensorAligner) == ("aligned" in name)
    assert isinstance(steps["map"], RankDistributionMapper) == ("mapped" in name)
    assert steps["clf"].train_on == {"R": "real", "V": "virtual", "M": "both"}[name[0]]
    assert steps["clf"].random_state == 3
    if "mapped" in name:
        assert steps["map"].per_class == ("per class" in name)
    if "aligned" in name:
        assert steps["align"].channels == CHANNELS
    clone(pipeline)


def test_templates_of_the_steps_are_cloned_with_their_parameters():
    aligner, mapper = SensorAligner(channels=CHANNELS, method="mean"), RankDistributionMapper(n_quantiles=10)
    own = Protocol("own", "both", align=True, map="per_class", virtual_ratio=2)
    tree, features = DecisionTreeClassifier(), ECDFFeatures(n_components=3)
    steps = own.pipeline(tree, features=features, aligner=aligner, mapper=mapper).named_steps
    assert steps["features"].n_components == 3 and steps["features"] is not features
    assert steps["clf"].estimator is not tree
    assert steps["align"].method == "mean" and steps["align"] is not aligner
    assert steps["map"].n_quantiles == 10 and steps["map"].per_class
    assert not mapper.per_class
    assert steps["clf"].virtual_ratio == 2


def test_an_aligner_keeps_the_channels_that_it_names_and_else_takes_those_given():
    protocol, others = PROTOCOLS["V2R aligned"], [f"waist_acc_{axis}" for axis in "xyz"]
    for aligner, expected in [(SensorAligner(channels=others), others), (SensorAligner(method="mean"), CHANNELS)]:
        assert protocol.pipeline(DecisionTreeClassifier(), channels=CHANNELS, aligner=aligner)[0].channels == expected


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"train_on": "reel"}, "train_on must be one of"),
        ({"train_on": "virtual", "map": "class"}, "map one of"),
        ({"train_on": "virtual", "align": "yes"}, "align True or False"),
        ({"train_on": "real", "map": "global"}, "nothing to align or to map"),
        ({"train_on": "real", "align": True}, "nothing to align or to map"),
        ({"train_on": "virtual", "virtual_ratio": 2}, 'only with train_on="both"'),
        ({"train_on": "both", "virtual_ratio": 0}, "positive"),
        ({"train_on": "both", "virtual_ratio": float("nan")}, "positive"),
        ({"name": "", "train_on": "both"}, "needs a name"),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(parameters, why):
    with pytest.raises(DataFormatError, match=why):
        Protocol(**{"name": "own", **parameters})


def test_protocols_are_found_by_name_and_taken_as_they_are():
    own = Protocol("own", "both")
    assert find_protocols(["R2R", own]) == [PROTOCOLS["R2R"], own]
    assert find_protocols("R2R") == [PROTOCOLS["R2R"]]
    assert find_protocols(own) == [own]


def test_an_unknown_protocol_is_named_beside_those_there_are():
    with pytest.raises(UnknownNameError, match=r"no protocol 'V2R'.*'V2R mapped'"):
        find_protocols(["R2R", "V2R"])


@pytest.mark.parametrize("none_or_twice", [[], ["R2R", "R2R"], ["R2R", Protocol("R2R", "real")]])
def test_no_protocol_and_one_name_for_two_are_refused(none_or_twice):
    with pytest.raises(DataFormatError, match="names of their own"):
        find_protocols(none_or_twice)
