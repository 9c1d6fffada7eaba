"""Detection and embedding evaluation over real files, with detectors that know the answer."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jde.commands import evaluate_detection, evaluate_embedding
from jde.commands.evaluate_detection import EvaluateDetectionOptions
from jde.commands.evaluate_embedding import EvaluateEmbeddingOptions
from jde.imaging.picture_file import write_picture
from jde.model.detector import Detector
from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.structures.frame import Image

WIDTH, HEIGHT = 64, 48
PEOPLE = {0: 0.25, 1: 0.75}
"""Identity and centre: each is 16 pixels wide and 24 high, at half the height."""


class KnowingDetector(Detector):
    """Finds whoever the brightness of a picture says is there, and knows them again."""

    def __init__(self, *classes: str) -> None:
        self.config: Any = SimpleNamespace(embedding_dim=2, classes=classes)

    @property
    def input_size(self) -> tuple[int, int]:
        return WIDTH, HEIGHT

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        return [self._find(int(image[0, 0, 0])) for image in images]

    def _find(self, brightness: int) -> Detections:
        if brightness > 100:
            return Detections.empty()
        boxes = [[64 * x - 8, 12, 64 * x + 8, 36] for x in PEOPLE.values()]
        kinds = np.arange(2) % len(self.config.classes)
        return Detections(np.array(boxes, np.float32), np.ones(2, np.float32), classes=kinds)

    def embed_every_level(self, image: Image, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert image.shape == (HEIGHT, WIDTH, 3)
        angle = boxes[:, 0] / WIDTH
        vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return np.arange(len(boxes)), vectors.astype(np.float32)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pictures of two people each; the detector sees nobody in the last."""
    for folder in ("images", "labels_with_ids"):
        (tmp_path / folder).mkdir()
    for number, brightness in enumerate([0, 0, 200]):
        image = np.full((HEIGHT, WIDTH, 3), brightness, np.uint8)
        write_picture(tmp_path / "images" / f"{number}.png", image)
        labels = "".join(f"0 {who} {x} 0.5 0.25 0.5\n" for who, x in PEOPLE.items())
        (tmp_path / "labels_with_ids" / f"{number}.txt").write_text(labels)
    for module in (evaluate_detection, evaluate_embedding):
        monkeypatch.setattr(module, "load_detector", load_knowing_detector)
    return tmp_path


def load_knowing_detector(*_: Any, **__: Any) -> Detector:
    return KnowingDetector("person")


def test_detection_prints_a_running_table_and_both_means(
    pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = pictures / "figures.json"
    options = EvaluateDetectionOptions(data=(pictures,), batch=2, every=1, json=target, coco=True)
    with caplog.at_level(logging.INFO):
        table = evaluate_detection.run(options)
    rows = [record.getMessage() for record in caplog.records if "pictures" in record.getMessage()]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    figures = json.loads(target.read_text())
    assert (figures["pictures"], figures["mAP"]) == (3, 1)
    assert figures["mAP of all"] == pytest.approx(2 / 3)
    assert figures["COCO AP"] == pytest.approx(2 / 3, abs=0.01)
    assert "mAP of all" in table.splitlines()[0]


def test_detection_of_several_classes_has_a_row_for_each(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: Any, **__: Any) -> Detector:
        return KnowingDetector("person", "car")

    monkeypatch.setattr(evaluate_detection, "load_detector", load)
    labels = "0 -1 0.25 0.5 0.25 0.5\n1 -1 0.9 0.5 0.1 0.1\n"
    for number in range(2):
        (pictures / "labels_with_ids" / f"{number}.txt").write_text(labels)
    target = pictures / "figures.json"
    options = EvaluateDetectionOptions(data=(pictures,), json=target, coco=True)
    table = evaluate_detection.run(options).splitlines()
    assert [row.split()[0] for row in table[-2:]] == ["person", "car"]
    figures = json.loads(target.read_text())
    # In the last picture two people stand whom nobody finds; the cars lie elsewhere.
    assert [figures["person"][name] for name in ("mAP", "mAP of all")] == [1, pytest.approx(2 / 3)]
    assert figures["car"]["mAP"] == 0
    swapped = EvaluateDetectionOptions(data=(pictures,), json=target, class_numbers=(1, 0))
    evaluate_detection.run(swapped)
    assert json.loads(target.read_text())["person"]["mAP"] == 0


def test_embedding_tells_two_people_apart(pictures: Path) -> None:
    target = pictures / "figures.json"
    options = EvaluateEmbeddingOptions(data=(pictures,), json=target)
    table = evaluate_embedding.run(options)
    figures = json.loads(target.read_text())
    assert (figures["embeddings"], figures["same"], figures["different"]) == (6, 6, 9)
    assert [figures[f"TPR@1e-0{decade}"] for decade in range(1, 7)] == [1] * 6
    assert "100.00" in table


def test_embedding_without_identities_says_what_it_needs(pictures: Path) -> None:
    for labels in (pictures / "labels_with_ids").iterdir():
        labels.write_text("0 -1 0.5 0.5 0.25 0.5\n")
    with pytest.raises(InputError, match="re-identification needs two embeddings"):
        evaluate_embedding.run(EvaluateEmbeddingOptions(data=(pictures,)))


def test_nothing_to_evaluate_on_is_refused(pictures: Path) -> None:
    assert pictures.is_dir()
    with pytest.raises(InputError, match="name at least one list file"):
        evaluate_detection.run(EvaluateDetectionOptions(data=()))


def test_identities_of_two_sets_are_kept_apart(pictures: Path) -> None:
    target = pictures / "figures.json"
    evaluate_embedding.run(EvaluateEmbeddingOptions(data=(pictures, pictures), json=target))
    figures = json.loads(target.read_text())
    assert (figures["same"], figures["different"]) == (12, 54)
