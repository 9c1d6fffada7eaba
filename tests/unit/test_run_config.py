from pathlib import Path

import pytest

from jde.config import load_config
from jde.structures.errors import InputError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_changes_the_files_it_extends(tmp_path: Path) -> None:
    write(
        tmp_path / "data.yaml",
        "data: {workers: 5, sources: [{kind: mot, path: a}, {kind: mot, path: b}]}",
    )
    write(
        tmp_path / "recipes" / "slow.yaml",
        "training: {epochs: 9, momentum: 0.5}\nmodel: jde-small\nseed: 3",
    )
    path = write(
        tmp_path / "run.yaml",
        "extends: [data.yaml, recipes/slow.yaml]\n"
        "model: {input_size: [64, 64]}\n"
        "training: {epochs: 2}\n"
        "data: {sources: [{kind: mot, path: c}]}",
    )
    config = load_config(path, {"training.batch_size": 4})
    assert (config.training.epochs, config.training.momentum) == (2, 0.5)
    assert (config.training.batch_size, config.seed) == (4, 3)
    assert (config.model.preset, config.model.input_size) == ("jde-small", (64, 64))
    assert config.data.workers == 5
    assert [one.path for one in config.data.sources] == ["c"]


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "extends: b.yaml")
    path = write(tmp_path / "b.yaml", "extends: a.yaml")
    with pytest.raises(InputError, match=r"a\.yaml: extends .*b\.yaml, which is missing or"):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "run.yaml", "extends: none.yaml")
    with pytest.raises(InputError, match=r"run\.yaml: extends .*none\.yaml, which is missing"):
        load_config(path)


def test_compact_networks_have_no_published_variant(tmp_path: Path) -> None:
    path = write(tmp_path / "run.yaml", "model: {source: paddle}\ndata: {}")
    with pytest.raises(InputError, match="jde-nano has no variants; leave it out"):
        load_config(path).model.resolve()


def test_tracks_are_scored_with_the_start_score_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("model: {start_score: 0.8}\ndata: {sources: [{kind: scenes}]}\n")
    assert load_config(path).tracker.min_score == 0.8
    assert load_config(path, {"tracker.smoothing": 0.5}).tracker.min_score == 0.8
    assert load_config(path, {"tracker.min_score": 0.6}).tracker.min_score == 0.6
