from pathlib import Path

import numpy as np
import pytest
from tests.real_data import DATA, needs_data

from jde.config import read_value
from jde.data.config import DataConfig, SourceConfig, build_sources, expand, kind_of
from jde.data.scenes.cutouts import write_cutout
from jde.imaging.picture_file import write_picture
from jde.structures.errors import InputError

SIZE = (576, 320)


def test_variables_of_the_environment_fill_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JDE_DATA", "/somewhere")
    assert expand("${JDE_DATA}/sequences") == Path("/somewhere/sequences")
    assert expand("$JDE_DATA") == Path("/somewhere")
    monkeypatch.delenv("JDE_DATA")
    with pytest.raises(InputError, match=r"the variable JDE_DATA is not set; export JDE_DATA="):
        expand("${JDE_DATA}/sequences")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "x", "frames": (0.5, 0.5)}, "frames must rise within 0 to 1, got 0.5 0.5"),
        ({"path": "x", "frames": (0.0, 1.5)}, "frames must rise"),
        ({"path": "x", "repeat": 0.0}, "repeat must be above 0"),
        ({"kind": "mot"}, "a source of kind mot needs a path"),
        ({"kind": "composed", "path": "x"}, "a source of kind composed needs backgrounds"),
    ],
)
def test_senseless_sources_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_value(SourceConfig, values, "data.sources.0")


def test_yaml_says_it_all() -> None:
    content = {
        "sources": [{"kind": "mot", "path": "a", "frames": [0, 0.67], "repeat": 2}],
        "augmentation": {"zoom": [0.8, 2], "colour": {"blur": 0.2}},
        "mosaic": 0.5,
    }
    config = read_value(DataConfig, content, "data")
    assert config.sources == (SourceConfig(kind="mot", path="a", frames=(0.0, 0.67), repeat=2.0),)
    assert config.augmentation.zoom == (0.8, 2.0)
    assert config.augmentation.colour.blur == 0.2


def test_drawn_scenes_need_no_path() -> None:
    scenes = SourceConfig(kind="scenes", length=7, cast_size=20)
    (source,), repeats = build_sources(DataConfig(sources=(scenes,)), SIZE)
    assert (len(source), source.identity_count, repeats) == (7, 20, [1.0])


def test_cutouts_are_put_into_labelled_pictures(tmp_path: Path) -> None:
    opacity = np.full((40, 20), 255, np.uint8)
    (tmp_path / "cutouts" / "ann").mkdir(parents=True)
    write_cutout(tmp_path / "cutouts" / "ann" / "1.png", np.full((40, 20, 3), 9, np.uint8), opacity)
    for folder in ("images", "labels_with_ids"):
        (tmp_path / "street" / folder).mkdir(parents=True)
    picture = np.full((90, 160, 3), 90, np.uint8)
    write_picture(tmp_path / "street" / "images" / "a.png", picture)
    (tmp_path / "street" / "labels_with_ids" / "a.txt").write_text("0 5 0.5 0.5 0.2 0.6\n")
    composed = SourceConfig(
        kind="composed",
        path=str(tmp_path / "cutouts"),
        backgrounds=(str(tmp_path / "street"),),
        length=3,
    )
    (source,), _ = build_sources(DataConfig(sources=(composed,)), SIZE)
    sample = source.load(0, np.random.default_rng(0))
    assert (len(source), source.identity_count) == (3, 1)
    assert sample.image.shape == (SIZE[1], SIZE[0], 3)
    assert set(sample.labels.identities.tolist()) <= {-1, 0}


def test_layout_of_a_folder_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "stills" / "images").mkdir(parents=True)
    assert kind_of(tmp_path / "stills") == "labels"
    (tmp_path / "stills" / "masks").mkdir()
    assert kind_of(tmp_path / "stills") == "pennfudan"
    (tmp_path / "list.train").touch()
    assert kind_of(tmp_path / "list.train") == "labels"
    assert kind_of(tmp_path) == "mot"


@needs_data
def test_all_real_data_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JDE_DATA", str(DATA))
    config = DataConfig(
        sources=(
            SourceConfig(kind="mot", path="${JDE_DATA}/sequences", pattern="MOT17-*", repeat=2.0),
            SourceConfig(kind="labels", path="${JDE_DATA}/stills/coco-person", name="coco"),
            SourceConfig(kind="pennfudan", path="${JDE_DATA}/stills/pennfudan"),
        )
    )
    sources, repeats = build_sources(config, SIZE)
    assert [source.name for source in sources][-3:] == ["MOT17-13-mini", "coco", "pennfudan"]
    assert repeats == [2.0] * 7 + [1.0, 1.0]
    assert sum(source.identity_count for source in sources) == 131 + 17
