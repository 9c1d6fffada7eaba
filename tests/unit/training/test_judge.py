import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tests.lively_network import lively_network

from jde.data.joint import JointSource
from jde.data.label_source import label_source
from jde.data.mot_source import mot_source
from jde.formats.seqinfo import SequenceInfo, write_seqinfo
from jde.structures.errors import InputError
from jde.tracking.config import TrackerConfig
from jde.training.evaluation_config import EvaluationConfig
from jde.training.judge import Judge
from jde.training.picture_files import digest, find_shared

SIZE = (128, 96)
BOX = (30, 20, 24, 60)


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = tmp_path / "street"
    pictures = folder / "img1"
    pictures.mkdir(parents=True)
    (folder / "gt").mkdir()
    noise = np.random.default_rng(0)
    for index in range(1, 4):
        cv2.imwrite(
            str(pictures / f"{index:06d}.png"), noise.integers(0, 255, (96, 128, 3), np.uint8)
        )
    write_seqinfo(folder, SequenceInfo("street", pictures, 10.0, 3, *SIZE), suffix=".png")
    rows = [
        f"{frame},{who},{BOX[0] + 40 * who},20,24,60,1,1,1" for frame in (1, 2, 3) for who in (0, 1)
    ]
    (folder / "gt" / "gt.txt").write_text("\n".join(rows) + "\n")
    return folder


def judge(**entries: Any) -> Judge:
    return Judge.open(EvaluationConfig(**entries), TrackerConfig(), SIZE, "cpu")


def test_tracking_detection_and_embedding_are_scored(sequence: Path) -> None:
    found = judge(sequences=(str(sequence),), pictures=(str(sequence),)).score(lively_network(SIZE))
    assert set(found) == {"MOTA", "IDF1", "HOTA", "AP", "precision", "recall", "TPR@FAR0.1"}
    assert found["MOTA"] <= 1
    assert all(0 <= value <= 1 for name, value in found.items() if name != "MOTA")


def test_scores_do_not_change_network_or_random_state(sequence: Path) -> None:
    network = lively_network(SIZE).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    judge(pictures=(str(sequence),), metric="ap").score(network)
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], one) for name, one in network.state_dict().items())


def test_the_chosen_metric_decides() -> None:
    chosen = Judge(EvaluationConfig(metric="idf1"), TrackerConfig(), (), None, "cpu")
    assert chosen.choose({"MOTA": 0.9, "IDF1": 0.4}) == 0.4
    assert chosen.choose({"MOTA": 0.9, "IDF1": float("nan")}) == -np.inf


def test_pictures_that_are_trained_on_are_said_under_any_name(
    sequence: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copies = tmp_path / "copies"
    (copies / "images").mkdir(parents=True)
    (copies / "labels_with_ids").mkdir()
    shutil.copy(sequence / "img1" / "000002.png", copies / "images" / "other.png")
    (copies / "labels_with_ids" / "other.txt").write_text("0 0 0.5 0.5 0.2 0.5\n")
    trained = JointSource([label_source(copies)])
    watching = judge(sequences=(str(sequence),)).watch(trained)
    assert [path.name for path in watching.trained_on] == ["000002.png"]
    assert watching.facts() == {"pictures": 3, "trained_on": True, "trained_pictures": 1}
    assert "1 of the 3 pictures that are scored are trained on" in caplog.text


def test_links_are_the_same_picture_and_others_are_not(sequence: Path, tmp_path: Path) -> None:
    first, second = sorted((sequence / "img1").iterdir())[:2]
    link = tmp_path / "link.png"
    link.symlink_to(first)
    assert find_shared([first], [link, second]) == [link]


def test_a_missing_truth_is_refused_before_training(sequence: Path) -> None:
    (sequence / "gt" / "gt.txt").unlink()
    with pytest.raises(InputError, match=r"gt\.txt: is missing"):
        judge(sequences=(str(sequence),))


def test_a_metric_needs_what_it_is_measured_on(sequence: Path) -> None:
    with pytest.raises(ValueError, match="metric mota needs sequences"):
        EvaluationConfig(pictures=(str(sequence),))


def test_epochs_that_are_scored() -> None:
    config = EvaluationConfig(sequences=("street",), every=3)
    assert [epoch for epoch in range(1, 8) if config.is_due(epoch, 7)] == [3, 6, 7]
    assert not EvaluationConfig().is_due(1, 1)


def test_a_digest_moves_with_the_data_and_changes_with_it(sequence: Path, tmp_path: Path) -> None:
    first = digest(mot_source(sequence))
    moved = tmp_path / "elsewhere" / "street"
    shutil.copytree(sequence, moved)
    assert digest(mot_source(moved)) == first
    truth = moved / "gt" / "gt.txt"
    truth.write_text(truth.read_text().replace(",24,60,", ",25,60,"))
    assert digest(mot_source(moved)) != first
