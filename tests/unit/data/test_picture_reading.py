from pathlib import Path

import cv2
import numpy as np
import pytest

from jde.data.picture_reading import jpeg_size, read_for_network
from jde.data.picture_source import Annotation, PictureSource
from jde.structures.errors import InputError

QUARTER_TURN = bytes.fromhex(
    "ffe1002245786966000049492a0008000000010012010300010000000600000000000000"
)
"""The EXIF segment of a JPEG file that says: turn me by 90 degrees."""


@pytest.fixture
def smooth(tmp_path: Path) -> Path:
    """Return a JPEG file of 400x200 pixels, brighter from left to right."""
    image = np.tile(np.linspace(20, 220, 400, dtype=np.uint8)[None, :, None], (200, 1, 3))
    cv2.imwrite(str(tmp_path / "smooth.jpg"), image)
    return tmp_path / "smooth.jpg"


@pytest.mark.parametrize(
    ("network", "decoded"),
    [
        (None, (400, 200)),
        ((320, 320), (400, 200)),
        ((210, 90), (200, 100)),
        ((201, 101), (400, 200)),
        ((110, 110), (200, 100)),
        ((100, 100), (100, 50)),
        ((32, 32), (50, 25)),
    ],
)
def test_decodes_no_more_than_the_network_needs(
    smooth: Path, network: tuple[int, int] | None, decoded: tuple[int, int]
) -> None:
    image, size = read_for_network(smooth, network)
    assert (image.shape[1], image.shape[0]) == decoded
    assert size == (400, 200)


def test_reduced_picture_shows_the_same(smooth: Path) -> None:
    whole, _ = read_for_network(smooth, None)
    half, _ = read_for_network(smooth, (200, 100))
    averaged = cv2.resize(whole, (200, 100), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - averaged).max() <= 2


def test_turned_picture_is_upright_and_says_so(smooth: Path) -> None:
    content = smooth.read_bytes()
    smooth.write_bytes(content[:2] + QUARTER_TURN + content[2:])
    image, size = read_for_network(smooth, (50, 100))
    assert image.shape[:2] == (100, 50)
    assert size == (200, 400)


def test_size_of_a_damaged_header_is_unknown(smooth: Path) -> None:
    content = smooth.read_bytes()
    assert jpeg_size(content) == (400, 200)
    for length in range(150):
        assert jpeg_size(content[:length]) is None
    assert jpeg_size(b"\x89PNG" + content[4:]) is None


def test_damaged_and_missing_pictures_are_named(tmp_path: Path, smooth: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(smooth.read_bytes()[:200])
    for network in (None, (100, 50)):
        with pytest.raises(InputError, match=r"damaged\.jpg: is no picture or is damaged"):
            read_for_network(damaged, network)
        with pytest.raises(InputError, match=r"absent\.jpg: can't be read"):
            read_for_network(tmp_path / "absent.jpg", network)


def test_labels_fit_the_picture_at_any_size(smooth: Path) -> None:
    shares = np.array([[0.25, 0.1, 0.5, 0.9]])
    annotation = Annotation(smooth, shares, np.array([3], np.int64))
    rng = np.random.default_rng(0)
    for network, boxes in ((None, [100, 20, 200, 180]), ((100, 50), [25, 5, 50, 45])):
        source = PictureSource.of("one", [annotation], size=(400, 200), network=network)
        np.testing.assert_allclose(source.load(0, rng).labels.boxes, [boxes], atol=1e-4)


def test_source_without_pictures_is_refused() -> None:
    with pytest.raises(InputError, match="nothing: holds no picture"):
        PictureSource.of("nothing", [])
