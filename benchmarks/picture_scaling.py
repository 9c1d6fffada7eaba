"""How a video's frames are best brought to the network's input: scores and cost of three ways.

    python benchmarks/picture_scaling.py SEQUENCE [SEQUENCE ...]

Each sequence (MOTChallenge layout with ground truth) is written as an H.264 file and tracked with
jde-nano. The ways: averages of areas taken of all RGB pixels, as the authors' program treats
pictures; the same averages taken straight from the decoder's planes, as `jde track` does; bilinear
samples of all RGB pixels, as the authors' program treats videos. The time is processor time of one
thread, from the decoded frame to the network's input.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from jde.formats.mot_text import MotWriter
from jde.metrics.tracking_report import evaluate_tracking
from jde.model.detector import Detector
from jde.structures.frame import Image, Picture
from jde.structures.letterbox import Size
from jde.tracking.reporting import reportable
from jde.tracking.tracker import Tracker
from jde.video.reading import read_video
from jde.video.source import VideoSource
from jde.video.writer import VideoWriter
from jde.weights.loading import load_detector

Way = Callable[[Picture, Size], Image]

WAYS: dict[str, Way] = {
    "areas of all pixels": lambda picture, size: cv2.resize(
        picture.whole(), size, interpolation=cv2.INTER_AREA
    ),
    "areas of the planes": lambda picture, size: picture.scaled_down(size),
    "bilinear": lambda picture, size: cv2.resize(picture.whole(), size),
}


class Reduced:
    """A picture that is scaled down in a given way.

    Args:
        picture: The decoded frame.
        way: How to scale it.
    """

    def __init__(self, picture: Picture, way: Way) -> None:
        self.picture, self.way = picture, way
        self.size = picture.size

    def whole(self) -> Image:
        """Return all pixels."""
        return self.picture.whole()

    def scaled_down(self, size: Size) -> Image:
        """Return the picture at a smaller size."""
        return self.way(self.picture, size)


def main() -> None:
    """Print a line for each sequence and way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sequences", type=Path, nargs="+")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detector = load_detector("jde-nano")
    assert isinstance(detector, Detector)
    print(f"{'sequence':<20} {'way':<20}  MOTA   IDF1   CPU ms/frame")
    with TemporaryDirectory() as name:
        for sequence in options.sequences:
            pictures = read_video(str(sequence))
            video = Path(name) / f"{sequence.name}.mp4"
            with VideoWriter(video, pictures.frame_rate) as writer:
                for frame in pictures:
                    writer.write(frame.image)
            for label, way in WAYS.items():
                result = Path(name) / "tracks.txt"
                cost = track(read_video(str(video)), detector, way, result)
                scores = evaluate_tracking(result, sequence).overall.as_dict()
                print(
                    f"{sequence.name:<20} {label:<20} {100 * scores['MOTA']:5.1f}  "
                    f"{100 * scores['IDF1']:5.1f}   {cost:5.2f}",
                    flush=True,
                )


def track(video: VideoSource, detector: Detector, way: Way, result: Path) -> float:
    """Write the tracks of a video; return the milliseconds that scaling took for a frame."""
    tracker, busy, frames = Tracker(frame_rate=video.frame_rate), 0.0, 0
    with MotWriter(result) as rows:
        for frame in video:
            assert isinstance(frame.picture, Picture)
            busy -= time.thread_time()
            fitted = detector.fit(Reduced(frame.picture, way))
            busy += time.thread_time()
            (found,) = detector.find([fitted])
            rows.add(frame.index, reportable(tracker.update(found, frame.seconds), tracker.config))
            frames += 1
    return 1000 * busy / frames


if __name__ == "__main__":
    main()
