import pytest

from jde.structures.errors import InputError
from jde.tracking.config import TrackerConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_lost_seconds", -1.0),
        ("max_lost_seconds", float("nan")),
        ("min_score", 1.5),
        ("motion_weight", 2.0),
        ("smoothing", -0.1),
        ("max_overlap_distance", 1.0),
        ("max_aspect", 0.0),
        ("min_area", -1.0),
    ],
)
def test_value_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name} must be .*{value}"):
        TrackerConfig(**{name: value})  # type: ignore[arg-type]  # the names differ in type


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError, match=r"min_score.*smoothing"):
        TrackerConfig(min_score=-1.0, smoothing=2.0)


def test_profiles_differ_where_the_programs_do() -> None:
    zhongdao, paddle = TrackerConfig.zhongdao(), TrackerConfig.paddle()
    assert TrackerConfig.mindspore() == zhongdao
    assert (zhongdao.min_score, paddle.min_score) == (0.5, 0.3)
    assert (zhongdao.confirm_first_frame, paddle.confirm_first_frame) == (False, True)
    assert (zhongdao.precision, paddle.precision) == ("float64", "float32")
    assert zhongdao.strict
    assert paddle.strict
    assert not TrackerConfig().strict
