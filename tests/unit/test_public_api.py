"""The frozen names of the public interface."""

import inspect
import subprocess
import sys

import pytest

import jde

NAMES = {
    "Detections",
    "Frame",
    "InputError",
    "Letterbox",
    "Tracker",
    "TrackerConfig",
    "Tracks",
    "VideoWriter",
    "draw_tracks",
    "evaluate_tracking",
    "load_detector",
    "load_network",
    "read_video",
    "track",
}


def test_the_names_are_these_and_all_exist() -> None:
    assert set(jde.__all__) == set(dir(jde)) == NAMES
    for name in NAMES:
        assert getattr(jde, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trakc'"):
        jde.trakc  # noqa: B018 (the access is the test)


def test_load_detector_takes_what_the_documentation_says() -> None:
    parameters = inspect.signature(jde.load_detector).parameters
    assert list(parameters)[:6] == [
        "weights",
        "device",
        "engine",
        "size",
        "min_score",
        "max_overlap",
    ]
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert (defaults["device"], defaults["engine"], defaults["size"]) == ("auto", "auto", None)
    assert (defaults["min_score"], defaults["max_overlap"]) == (0.5, 0.4)


def test_detections_take_their_parts_in_the_documented_order() -> None:
    assert list(inspect.signature(jde.Detections).parameters) == [
        "boxes",
        "scores",
        "embeddings",
        "classes",
    ]


def test_importing_the_package_loads_nothing_but_python() -> None:
    code = "import sys, jde; print(sorted({'numpy', 'torch', 'tyro', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
