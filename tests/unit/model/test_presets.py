import pytest

from jde.model.presets import (
    ANCHORS_576X320,
    ANCHORS_864X480,
    ANCHORS_1088X608,
    anchors_for,
    darknet53,
    find_preset,
)
from jde.structures.errors import InputError


def test_paddle_has_its_own_last_anchor_at_576x320() -> None:
    assert anchors_for((576, 320), source="paddle")[0][-1] == (340, 420)
    assert anchors_for((576, 320))[0][-1] == (340, 320)
    assert anchors_for((864, 480), source="paddle") == ANCHORS_864X480


def test_anchors_of_other_sizes_are_scaled_from_the_nearest() -> None:
    assert anchors_for((1088, 608)) == ANCHORS_1088X608
    scaled = anchors_for((576, 352))
    assert scaled[0][0] == pytest.approx((85 * 1.1, 255 * 1.1))
    assert len(scaled) == len(ANCHORS_576X320)


def test_mindspore_weights_need_another_backbone() -> None:
    config = darknet53(source="mindspore")
    assert (config.activation, config.stride2_padding) == ("relu", "bottom-right")
    assert darknet53(source="paddle").activation == "leaky"


def test_an_unknown_model_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean 'jde-nano'"):
        find_preset("jde-nanno")


def test_a_preset_takes_another_size() -> None:
    assert find_preset("jde-nano", size=(384, 224)).input_size == (384, 224)
    with pytest.raises(InputError, match="multiples of 32"):
        find_preset("jde-nano", size=(400, 224))
