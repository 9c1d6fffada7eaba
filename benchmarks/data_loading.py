"""How fast training pictures are loaded and changed, without any training.

    JDE_DATA=... python benchmarks/data_loading.py

Measured is CPU time a picture in one process, the variants in turn so that a busy machine disturbs
all alike; `workers` is the wall-clock rate of the real loader. Reads the sequences below JDE_DATA
that are 1920x1080, or makes pictures of that size where there are none.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import tyro

from jde.data.augmentation import Augmentation, AugmentationConfig
from jde.data.config import DataConfig, SourceConfig, build_joint_source, build_loader
from jde.data.loader import TrainingPictures, collate
from jde.data.sampling import Draw, EpochPlan
from jde.structures.letterbox import Size

VARIANTS = {
    "published two steps, every pixel decoded": (False, False),
    "published two steps, big files decoded smaller": (False, True),
    "one warp, every pixel decoded": (True, False),
    "one warp, big files decoded smaller (default)": (True, True),
}
BATCH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Measure the loading of training pictures."""

    pictures: int = 48
    """Pictures for each variant."""
    workers: int = 2
    """Processes of the real loader."""
    pattern: str = "MOT17-09-a"
    """Which sequences below JDE_DATA."""


def main(options: Options) -> None:
    """Print a table for two sizes of the network's input."""
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        source = find_pictures(Path(folder), options.pattern)
        for size in ((1088, 608), (576, 320)):
            print(f"\n{size[0]}x{size[1]}")
            for name, milliseconds in cpu_times(source, size, options.pictures).items():
                print(
                    f"  {name:<48} {milliseconds:6.1f} ms CPU  {1000 / milliseconds:6.1f} /s a core"
                )
            rate, cores = wall_rate(source, size, options)
            print(f"  real loader: {rate:.1f} pictures/s wall from {cores:.2f} cores")


def find_pictures(folder: Path, pattern: str) -> SourceConfig:
    """Return the real sequence, or pictures made in `folder`."""
    data = os.environ.get("JDE_DATA")
    if data and (Path(data) / "sequences").is_dir():
        return SourceConfig(kind="mot", path=f"{data}/sequences", pattern=pattern)
    rng = np.random.default_rng(0)
    for name in ("images", "labels_with_ids"):
        (folder / name).mkdir()
    for number in range(24):
        small = rng.integers(0, 255, (135, 240, 3), np.uint8)
        large = cv2.resize(small, (1920, 1080), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), large)
        rows = "".join(f"0 {person} 0.{person + 1} 0.5 0.05 0.3\n" for person in range(8))
        (folder / "labels_with_ids" / f"{number}.txt").write_text(rows)
    return SourceConfig(path=str(folder))


def cpu_times(source: SourceConfig, size: Size, pictures: int) -> dict[str, float]:
    """Return milliseconds of CPU time a picture, by variant."""
    calls: dict[str, Callable[[int], object]] = {
        "the authors' order of operations, plainly": plain(source, size)
    }
    for name, (single_warp, reduced) in VARIANTS.items():
        config = DataConfig(sources=(source,), reduced_decoding=reduced)
        augmentation = Augmentation(AugmentationConfig(single_warp=single_warp), size)
        calls[name] = batches_of(TrainingPictures(build_joint_source(config, size), augmentation))
    spent = dict.fromkeys(calls, 0.0)
    for number in range(pictures // BATCH + 1):
        for name, call in calls.items():
            start = time.process_time()
            call(number)
            # The first round fills caches.
            spent[name] += (time.process_time() - start) if number else 0.0
    return {name: 1000 * total / (pictures // BATCH * BATCH) for name, total in spent.items()}


def batches_of(pictures: TrainingPictures) -> Callable[[int], object]:
    """Return what makes batch `number` of some pictures."""

    def make(number: int) -> object:
        draws = (Draw(0, (number * BATCH + row) % len(pictures)) for row in range(BATCH))
        return collate([pictures[draw] for draw in draws])

    return make


def plain(source: SourceConfig, size: Size) -> Callable[[int], object]:
    """Return the published loading, written as section 11 of the specification has it."""
    joint = build_joint_source(DataConfig(sources=(source,), reduced_decoding=False), size)
    files = [path for one in joint.sources for path in one.pictures]  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)

    def load(path: Path) -> np.ndarray:
        image = change_colour(read_bgr(path), rng)
        ratio = min(size[1] / image.shape[0], size[0] / image.shape[1])
        new = round(image.shape[1] * ratio), round(image.shape[0] * ratio)
        image = cv2.resize(image, new, interpolation=cv2.INTER_AREA)
        down, across = size[1] - new[1], size[0] - new[0]
        edges = (down // 2, down - down // 2, across // 2, across - across // 2)
        image = cv2.copyMakeBorder(image, *edges, cv2.BORDER_CONSTANT, value=(127.5,) * 3)
        matrix = np.eye(3)
        turn, growth = rng.uniform(-5, 5), rng.uniform(0.5, 1.2)
        matrix[:2] = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), turn, growth)
        image = cv2.warpPerspective(image, matrix, size, borderValue=(127.5,) * 3)
        image = np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1), np.float32)
        image /= 255
        return image

    def make(number: int) -> object:
        return np.stack([load(files[(number * BATCH + row) % len(files)]) for row in range(BATCH)])

    return make


def read_bgr(path: Path) -> np.ndarray:
    """Return the pixels as OpenCV orders them."""
    image = cv2.imread(str(path))
    assert image is not None
    return image


def change_colour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture with another saturation and value, in floats as published."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    for channel, factor in ((1, rng.uniform(0.5, 1.5)), (2, rng.uniform(0.5, 1.5))):
        levels = hsv[:, :, channel].astype(np.float32) * factor
        if factor > 1:
            np.clip(levels, None, 255, out=levels)
        hsv[:, :, channel] = levels.astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def wall_rate(source: SourceConfig, size: Size, options: Options) -> tuple[float, float]:
    """Return pictures a second of the real loader, and how many cores it had."""
    config = DataConfig(sources=(replace(source, repeat=3.0),), workers=options.workers)
    joint = build_joint_source(config, size)
    loader = build_loader(config, joint, EpochPlan(len(joint), BATCH), size)
    seen, start, used = 0, 0.0, 0.0
    for number, batch in enumerate(loader.epoch(0)):
        if number == options.workers * 2:
            start, used, seen = time.perf_counter(), children_seconds(), 0
        seen += len(batch)
        if number > options.workers * 2 and seen >= 4 * options.pictures:
            break
    spent = time.perf_counter() - start
    return (seen - BATCH) / spent, (children_seconds() - used) / spent


def children_seconds() -> float:
    """Return CPU seconds of this process and of its living children, where Linux tells."""
    total = time.process_time()
    ticks = os.sysconf("SC_CLK_TCK")
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            fields = (Path("/proc") / child / "stat").read_text().rsplit(") ", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / ticks
    return total


if __name__ == "__main__":
    main(tyro.cli(Options))
