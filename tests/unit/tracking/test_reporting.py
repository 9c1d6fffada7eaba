import numpy as np

from jde.structures.tracks import Tracks
from jde.tracking.config import TrackerConfig
from jde.tracking.reporting import reportable

BOXES = [[0, 0, 10, 20], [0, 0, 10, 20.5], [0, 0, 32, 20], [0, 0, 33, 20], [0, 0, 5, 5]]
TRACKS = Tracks(
    np.arange(1, 6), np.array(BOXES, np.float32), np.ones(5, np.float32), np.zeros(5, np.int64)
)


def test_published_programs_write_only_large_and_upright_boxes() -> None:
    for config in (TrackerConfig.zhongdao(), TrackerConfig.paddle(), TrackerConfig.mindspore()):
        assert reportable(TRACKS, config).ids.tolist() == [2, 3]


def test_default_keeps_every_shape() -> None:
    assert reportable(TRACKS, TrackerConfig()).ids.tolist() == [1, 2, 3, 4, 5]
