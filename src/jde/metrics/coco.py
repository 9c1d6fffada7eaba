"""Average precision as COCO defines it, by a library that keeps to the reference."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from jde.metrics.detection import SeenPicture
from jde.structures.boxes import areas, corners_to_ltwh
from jde.structures.errors import MissingExtraError

logger = logging.getLogger(__name__)

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
PERSON = 1


def coco_scores(pictures: Sequence[SeenPicture]) -> dict[str, float]:
    """Return COCO's twelve figures, from 0 to 1; -1 where no person has the size.

    Raises:
        MissingExtraError: The library is not installed.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster  # noqa: PLC0415 (an optional extra)
    except ImportError as error:
        raise MissingExtraError("faster-coco-eval", "coco", "COCO's average precision") from error
    truth = COCO(_truth(pictures))
    found = _found(pictures)
    evaluation = COCOeval_faster(
        truth,
        truth.loadRes(found) if found else COCO(),
        iouType="bbox",
        print_function=logger.debug,
    )
    evaluation.run()
    return dict(zip(NAMES, map(float, evaluation.stats), strict=False))


def _truth(pictures: Sequence[SeenPicture]) -> dict[str, list[dict[str, Any]]]:
    people = [
        {"image_id": number, "category_id": PERSON, "iscrowd": 0, "bbox": box, "area": area}
        for number, picture in enumerate(pictures)
        for box, area in zip(
            corners_to_ltwh(picture.people.astype(float)).tolist(),
            areas(picture.people.astype(float)).tolist(),
            strict=True,
        )
    ]
    return {
        "images": [{"id": number} for number in range(len(pictures))],
        "annotations": [{"id": number, **person} for number, person in enumerate(people, 1)],
        "categories": [{"id": PERSON, "name": "person"}],
    }


def _found(pictures: Sequence[SeenPicture]) -> list[dict[str, Any]]:
    return [
        {"image_id": number, "category_id": PERSON, "bbox": box, "score": score}
        for number, picture in enumerate(pictures)
        for box, score in zip(
            corners_to_ltwh(picture.boxes.astype(float)).tolist(),
            np.asarray(picture.scores, float).tolist(),
            strict=True,
        )
    ]
