"""Networks of several classes: their configuration, their answers and what is made of these."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from jde.engines.torch_engine import TorchEngine
from jde.model.builders import build_network
from jde.model.config import ModelConfig
from jde.model.decoding import best_class, decode
from jde.model.detector import Detector
from jde.model.head_maps import LevelMaps
from jde.model.presets import PRESETS, find_preset
from jde.model.suppression import suppress_by_class
from jde.structures.errors import InputError

CLASSES = ("person", "car", "bicycle")
CONFIG = replace(find_preset("jde-nano", size=(64, 32)), classes=CLASSES)


def levels(*found: tuple[int, tuple[float, ...]]) -> tuple[LevelMaps, ...]:
    """Return maps in which some anchors of the first cell of the coarse level have these logits."""
    shapes = ((1, 2), (2, 4), (4, 8))
    maps = [
        LevelMaps(np.zeros((1, 4, 4, *s), np.float32), np.zeros((1, 4, 4, *s), np.float32))
        for s in shapes
    ]
    for level in maps:
        level.objectness[:, :, 0] = 9
    for anchor, logits in found:
        maps[0].objectness[0, anchor, :, 0, 0] = logits
    return tuple(maps)


def test_a_configuration_keeps_its_classes_and_people_alone_leave_no_trace() -> None:
    assert ModelConfig.from_json(CONFIG.to_json()) == CONFIG
    alone = PRESETS["jde-nano"]
    assert alone.classes == ("person",)
    assert "classes" not in alone.to_json()


@pytest.mark.parametrize("names", [(), ("person", "person"), ("person", " ")])
def test_classes_that_no_name_tells_apart_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="classes must"):
        replace(CONFIG, classes=names)


def test_the_head_has_a_logit_for_background_and_each_class() -> None:
    outputs = build_network(CONFIG).eval()(torch.rand(1, 3, 32, 64))
    assert [output.objectness.shape[2] for output in outputs] == [4, 4, 4]
    assert [output.box_deltas.shape[2] for output in outputs] == [4, 4, 4]


def test_a_fresh_network_expects_as_many_things_as_one_of_people() -> None:
    chances = []
    for config in (PRESETS["jde-nano"], CONFIG):
        bias = build_network(config).get_parameter("heads.0.detection.bias").detach()
        numbers = bias.view(4, -1)[0, 4:]
        chances.append(float(numbers[1:].exp().sum() / numbers[0].exp()))
    assert chances[0] == pytest.approx(chances[1])


def test_the_score_is_the_softmax_of_the_likeliest_class() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (50, 4)).astype(np.float32)
    classes, leads = best_class(logits)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert classes.tolist() == shares[:, 1:].argmax(axis=1).tolist()
    np.testing.assert_allclose(1 / (1 + np.exp(-leads)), shares[:, 1:].max(axis=1), rtol=1e-4)
    two = logits[:, :2]
    np.testing.assert_array_equal(best_class(two)[1], two[:, 1] - two[:, 0])


def test_two_likely_classes_share_the_score_that_must_pass() -> None:
    rivals, clear = (0, (0.0, 3.0, 3.0, 0.0)), (2, (0.0, 0.0, 0.0, 3.0))
    found = decode(levels(rivals, clear), CONFIG.anchors, 0, min_score=0.5)
    assert found.classes.tolist() == [2]
    assert found.scores[0] == pytest.approx(np.exp(3) / (np.exp(3) + 3), rel=1e-5)
    both = decode(levels(rivals, clear), CONFIG.anchors, 0, min_score=0.4)
    assert both.classes.tolist() == [0, 2]


def test_boxes_suppress_only_those_of_their_class() -> None:
    boxes = np.tile(np.array([[0, 0, 10, 10]], np.float32), (4, 1))
    scores, classes = np.array([0.5, 0.9, 0.8, 0.7], np.float32), np.array([0, 1, 0, 1])
    kept = suppress_by_class(boxes, scores, classes, max_overlap=0.4)
    assert kept.tolist() == [1, 2]
    nobody = suppress_by_class(boxes[:0], scores[:0], classes[:0], max_overlap=0.4)
    assert nobody.tolist() == []


def test_detections_say_their_class() -> None:
    network = build_network(CONFIG).eval()
    with torch.no_grad():
        for level in range(3):
            bias = network.get_parameter(f"heads.{level}.detection.bias").view(4, -1)
            bias[1, 6] = 9.0
    found = Detector(TorchEngine(network, device="cpu"), CONFIG)(np.zeros((32, 64, 3), np.uint8))
    assert set(found.classes.tolist()) == {1}
