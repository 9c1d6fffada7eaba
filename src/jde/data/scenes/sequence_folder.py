"""Writes drawn frames as a MOTChallenge sequence."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from jde.data.scenes.scene import LabelledFrame
from jde.formats.mot_text import PEDESTRIAN, MotRows, write_mot
from jde.formats.seqinfo import PICTURE_FOLDER, SequenceInfo, write_seqinfo
from jde.imaging.picture_file import write_picture
from jde.structures.boxes import corners_to_ltwh
from jde.structures.errors import InputError

LEAST_SCORED = 0.1
"""People of whom less is seen carry confidence 0: evaluation neither asks for nor forbids them."""


def write_sequence(
    folder: Path, frames: Iterable[LabelledFrame], *, frame_rate: float
) -> SequenceInfo:
    """Write pictures, `gt/gt.txt` and `seqinfo.ini` below `folder` and return what they hold.

    Identities count from 1 in the files.

    Raises:
        InputError: The folder can't be written.
    """
    pictures, truth = folder / PICTURE_FOLDER, folder / "gt"
    try:
        pictures.mkdir(parents=True, exist_ok=True)
        truth.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: can't be written ({error.strerror})") from error
    labels: list[LabelledFrame] = []
    height = width = 0
    for drawn in frames:
        write_picture(pictures / f"{drawn.frame.index:06d}.jpg", drawn.frame.image)
        height, width = drawn.frame.image.shape[:2]
        labels.append(drawn)
    write_mot(truth / "gt.txt", _rows(labels))
    info = SequenceInfo(folder.name, pictures, frame_rate, len(labels), width, height)
    write_seqinfo(folder, info)
    return info


def _rows(labels: list[LabelledFrame]) -> MotRows:
    counts = [len(drawn.identities) for drawn in labels]
    visibility = np.concatenate([drawn.visibility for drawn in labels]).astype(np.float64)
    return MotRows(
        frames=np.repeat([drawn.frame.index for drawn in labels], counts).astype(np.int64),
        ids=np.concatenate([drawn.identities for drawn in labels]) + 1,
        ltwh=corners_to_ltwh(np.concatenate([d.boxes for d in labels]).astype(np.float64)),
        confidences=(visibility >= LEAST_SCORED).astype(np.float64),
        classes=np.full(sum(counts), PEDESTRIAN, np.int64),
        visibilities=np.round(visibility, 3),
    )
