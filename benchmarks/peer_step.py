"""Times the trackers of one package on written detections; run by `peers.py` in its environment.

    python benchmarks/peer_step.py norfair detections.npz

Prints one line of JSON: the median milliseconds of a step, by tracker. Needs NumPy and the package.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np

WARM_UP = 10
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
Step = Callable[[Arrays], Callable[[], object]]
"""Takes boxes, scores and embeddings, and returns the call that is timed."""

PICTURE = np.zeros((1080, 1920, 3), np.uint8)


def read(path: str) -> list[Arrays]:
    """Return boxes, scores and embeddings of every frame."""
    with np.load(path) as file:
        ends = np.cumsum(file["counts"])[:-1]
        parts = (np.split(file[name], ends) for name in ("boxes", "scores", "embeddings"))
        return list(zip(*parts, strict=True))


def median_step(step: Step, frames: list[Arrays]) -> float:
    """Return the median milliseconds of processor time; making the package's own types is free."""
    times = []
    for frame in frames:
        call = step(frame)
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return 1000 * float(np.median(times[WARM_UP:]))


def jde_steps() -> dict[str, Step]:
    """Return ours, with and without embeddings."""
    from jde.structures.detections import Detections  # noqa: PLC0415 (one package is present)
    from jde.tracking.config import TrackerConfig  # noqa: PLC0415
    from jde.tracking.tracker import Tracker  # noqa: PLC0415

    def make(*, uses: bool) -> Step:
        tracker = Tracker(TrackerConfig(use_embeddings=uses), frame_rate=30.0)

        def step(frame: Arrays) -> Callable[[], object]:
            detections = Detections(*frame)
            return lambda: tracker.update(detections)

        return step

    return {"jde, 512-d": make(uses=True), "jde, boxes": make(uses=False)}


def norfair_steps() -> dict[str, Step]:
    """Return norfair with overlap as the distance."""
    import norfair  # noqa: PLC0415

    tracker = norfair.Tracker(distance_function="iou", distance_threshold=0.7)

    def step(frame: Arrays) -> Callable[[], object]:
        boxes, scores, _ = frame
        pairs = zip(boxes.reshape(-1, 2, 2), scores, strict=True)
        found = [norfair.Detection(points=p, scores=np.array([s, s])) for p, s in pairs]
        return lambda: tracker.update(detections=found)

    return {f"norfair {version('norfair')} iou, boxes": step}


def trackers_steps() -> dict[str, Step]:
    """Return those of roboflow's package that need no picture."""
    import supervision  # noqa: PLC0415
    import trackers  # noqa: PLC0415

    def make(name: str) -> Step:
        tracker = getattr(trackers, name)()

        def step(frame: Arrays) -> Callable[[], object]:
            boxes, scores, _ = frame
            found = supervision.Detections(
                xyxy=boxes, confidence=scores, class_id=np.zeros(len(boxes), int)
            )
            return lambda: tracker.update(found)

        return step

    names = ("SORTTracker", "ByteTrackTracker", "OCSORTTracker")
    number = version("trackers")
    return {
        f"trackers {number} {name.removesuffix('Tracker')}, boxes": make(name)
        for name in names
        if hasattr(trackers, name)
    }


def boxmot_steps() -> dict[str, Step]:
    """Return those of boxmot that go by boxes, and those that re-identify, with given embeddings.

    None compensates for the camera's motion, as ours doesn't: that costs more than all the rest.
    """
    import boxmot  # noqa: PLC0415

    def by_boxes(name: str) -> Step:
        tracker = getattr(boxmot, name)()

        def step(frame: Arrays) -> Callable[[], object]:
            boxes, scores, _ = frame
            rows = np.column_stack([boxes, scores, np.zeros(len(boxes))]).astype(np.float32)
            return lambda: tracker.update(rows, PICTURE)

        return step

    def by_looks(name: str, settings: dict[str, bool]) -> Step:
        tracker = getattr(boxmot, name)(**settings)
        tracker.cmc = None
        return lambda frame: partial(tracker.update, boxmot_detections(frame), PICTURE)

    number = version("boxmot")
    boxes = {
        f"boxmot {number} {name}, boxes": by_boxes(name)
        for name in ("SFSORT", "ByteTrack", "OcSort")
    }
    looks = {
        f"boxmot {number} {name}, 512-d": by_looks(name, settings)
        for name, settings in BOXMOT_LOOKS.items()
    }
    return boxes | looks


BOXMOT_LOOKS = {
    "BotSort": {"use_cmc": False},
    "StrongSort": {},
    "DeepOcSort": {"cmc_off": True},
    "BoostTrack": {"use_cmc": False, "use_embeddings": True},
    "HybridSort": {},
}
"""Re-identifying trackers of boxmot and what they are told."""


def boxmot_detections(frame: Arrays) -> object:
    """Return a frame in the types of boxmot's trackers."""
    import torch  # noqa: PLC0415
    from boxmot.structures import Boxes, Detections  # noqa: PLC0415

    boxes, scores, embeddings = (torch.from_numpy(array) for array in frame)
    return Detections(
        geometry=Boxes(boxes),
        scores=scores,
        class_ids=torch.zeros(len(boxes), dtype=torch.int64),
        sample_id="frame",
        embeddings=embeddings,
    )


def ultralytics_steps() -> dict[str, Step]:
    """Return ultralytics' two, BoT-SORT with given embeddings."""
    from ultralytics.trackers.bot_sort import BOTSORT  # noqa: PLC0415
    from ultralytics.trackers.byte_tracker import BYTETracker  # noqa: PLC0415

    common = {
        "track_high_thresh": 0.25,
        "track_low_thresh": 0.1,
        "new_track_thresh": 0.25,
        "track_buffer": 30,
        "match_thresh": 0.8,
        "fuse_score": True,
    }
    looks = {"gmc_method": "none", "proximity_thresh": 0.5, "appearance_thresh": 0.8}

    def make(tracker: object, *, embeds: bool) -> Step:
        def step(frame: Arrays) -> Callable[[], object]:
            boxes, scores, embeddings = frame
            found = BoxResults(boxes, scores)
            extra = {"feats": embeddings} if embeds else {}
            return lambda: tracker.update(found, PICTURE, **extra)

        return step

    number = version("ultralytics")
    byte = BYTETracker(SimpleNamespace(**common))
    bot = BOTSORT(SimpleNamespace(**common, **looks, with_reid=True, model="auto"))
    return {
        f"ultralytics {number} ByteTrack, boxes": make(byte, embeds=False),
        f"ultralytics {number} BoT-SORT, 512-d": make(bot, embeds=True),
    }


class BoxResults:
    """What ultralytics' trackers read of a picture's boxes."""

    def __init__(self, boxes: np.ndarray, scores: np.ndarray) -> None:
        self.xyxy, self.conf = boxes, scores
        self.cls = np.zeros(len(boxes), np.float32)

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: np.ndarray) -> "BoxResults":
        return BoxResults(self.xyxy[rows], self.conf[rows])

    @property
    def xywh(self) -> np.ndarray:
        """Centre boxes."""
        centre, sides = self.xyxy[:, :2] + self.xyxy[:, 2:], self.xyxy[:, 2:] - self.xyxy[:, :2]
        return np.concatenate([centre / 2, sides], axis=1)


STEPS = {
    "jde": jde_steps,
    "norfair": norfair_steps,
    "trackers": trackers_steps,
    "boxmot": boxmot_steps,
    "ultralytics": ultralytics_steps,
}


def main() -> None:
    """Time every tracker of the package and print the line of JSON."""
    peer, path = sys.argv[1:]
    frames = read(path)
    results: dict[str, float | str] = {}
    for name, step in STEPS[peer]().items():
        try:
            results[name] = median_step(step, frames)
        except Exception as error:  # noqa: BLE001 (one that fails must not hide the others)
            results[name] = f"failed: {type(error).__name__}: {error}"
    print(json.dumps(results))


if __name__ == "__main__":
    main()
