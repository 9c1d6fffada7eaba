"""What writing the video of the tracks costs, part by part, and what the file is like.

    python benchmarks/video_output.py --frames 96
    python benchmarks/video_output.py street.mp4

Processor time of all threads for one frame of a file, or of a drawn full-HD video. Its frames are
drawn on and encoded in three ways, in turn: on their own luma and chroma; the same for a smaller
file; and on RGB pixels for the smaller file, which is how it was done before. Errors are those of
the written files' luma against the frames that were drawn.
"""

import argparse
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import av
import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from jde.benchmarking.drawn_video import write_drawn_video
from jde.benchmarking.simulated_crowd import SimulatedCrowd, as_tracks
from jde.imaging.letterboxing import letterbox_image
from jde.structures.frame import Frame, Image
from jde.video.canvas import Canvas
from jde.video.drawing import paint_tracks
from jde.video.reading import read_video
from jde.video.traces import Traces
from jde.video.writer import VideoWriter

NETWORK = (576, 320)
FULL_HD = (1920, 1080)
TOGETHER = 12
"""Frames that are decoded before they are drawn: in between, the decoder's threads come to rest."""

REST_SECONDS = 0.2
COMPARED = 8
"""One of so many frames is compared with what was drawn."""

WINDOW, WIDTH_OF_WINDOW = (11, 11), 1.5
SSIM_CONSTANTS = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""Of Wang et al., Image quality assessment: from error visibility to structural similarity."""

Luma = UInt8[np.ndarray, "_ _"]
Result = TypeVar("Result")


class Way:
    """One way of drawing and encoding a video.

    Args:
        video: File to read.
        output: File to write.
        people: How many are drawn.
        small: Take more time for a smaller file.
        pixels: Draw on RGB pixels.
    """

    def __init__(
        self, video: Path, output: Path, *, people: int, small: bool, pixels: bool
    ) -> None:
        source = read_video(video)
        self.height = source.size[1]
        self.frames = iter(source)
        self.output = output
        self.pixels = pixels
        self.writer = VideoWriter(output, source.frame_rate, small=small)
        self.crowd = SimulatedCrowd(people, seed=people, dim=8, miss=0.0)
        self.traces = Traces()
        self.seconds: dict[str, float] = {}
        self.drawn: list[Luma] = []
        self.count = 0

    def step(self) -> None:
        """Take some frames from the file to the encoder."""
        for frame in self.timed("decode", self.decode):
            self.timed("input", letterbox_image, frame.picture, NETWORK)
            self.timed("copy", self.open, frame)
            self.timed("draw", self.draw, frame)
            self.timed("encode", self.writer.write, frame.picture, frame.seconds)
            if self.count % COMPARED == 0:
                self.drawn.append(luma_of(frame.image))
            self.count += 1
        self.timed("encode", time.sleep, REST_SECONDS)

    def timed(self, part: str, action: Callable[..., Result], *values: object) -> Result:
        """Return what an action gives and add its processor time to a part."""
        start = time.process_time()
        result = action(*values)
        self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - start
        return result

    def decode(self) -> list[Frame]:
        """Return some frames, the decoder at rest."""
        held = list(islice(self.frames, TOGETHER))
        time.sleep(REST_SECONDS)
        return held

    def open(self, frame: Frame) -> Canvas:
        """Return what is drawn on."""
        return Canvas(frame.image if self.pixels else frame.picture)

    def draw(self, frame: Frame) -> None:
        """Draw the people of the next frame."""
        tracks = as_tracks(self.crowd.next_frame(), self.height)
        self.traces.add(tracks)
        paint_tracks(frame.picture, tracks, self.traces)

    def describe(self) -> str:
        """Return costs, size and errors, once the file is complete."""
        milliseconds = {part: 1000 * value / self.count for part, value in self.seconds.items()}
        size = self.output.stat().st_size / self.count / 1000
        with av.open(str(self.output)) as container:
            frames = islice(container.decode(video=0), 0, None, COMPARED)
            pairs = [
                (luma_of(frame.to_ndarray(format="rgb24")), drawn)
                for frame, drawn in zip(frames, self.drawn, strict=True)
            ]
        psnr, ssim = (np.mean([measure(*pair) for pair in pairs]) for measure in (psnr_of, ssim_of))
        return (
            "".join(f"{value:8.2f}" for value in milliseconds.values())
            + f"{sum(milliseconds.values()):8.2f}{size:8.1f}{psnr:8.2f}{ssim:8.4f}"
        )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, nargs="?", help="drawn if left out")
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--people", type=int, default=50)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        video = options.video or Path(name) / "drawn.mp4"
        if options.video is None:
            write_drawn_video(video, size=FULL_HD, people=options.people, frames=options.frames)
        ways = {
            label: Way(
                video,
                Path(name) / f"{label}.mp4",
                people=options.people,
                small="small" in label,
                pixels="pixels" in label,
            )
            for label in ("planes", "planes, small", "pixels, small")
        }
        for _ in range(0, options.frames, TOGETHER):
            for way in ways.values():
                way.step()
        head = ("decode", "input", "copy", "draw", "encode", "sum", "kB", "PSNR", "SSIM")
        print(" " * 14 + "".join(f"{word:>8}" for word in head))
        for label, way in ways.items():
            way.timed("encode", way.writer.close)
            print(f"{label:<14}" + way.describe(), flush=True)


def luma_of(image: Image) -> Luma:
    """Return how bright the pixels are."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def psnr_of(one: Luma, other: Luma) -> float:
    """Return the ratio of peak to error in decibels."""
    return float(cv2.PSNR(one, other))


def ssim_of(one: Luma, other: Luma) -> float:
    """Return the structural similarity."""
    first, second = one.astype(np.float32), other.astype(np.float32)
    mean, mean_other = blurred(first), blurred(second)
    spread = blurred(first * first) - mean**2 + blurred(second * second) - mean_other**2
    shared = blurred(first * second) - mean * mean_other
    low, high = SSIM_CONSTANTS
    likeness = (2 * mean * mean_other + low) * (2 * shared + high)
    return float((likeness / ((mean**2 + mean_other**2 + low) * (spread + high))).mean())


def blurred(values: Float32[np.ndarray, "_ _"]) -> Float32[np.ndarray, "_ _"]:
    """Return averages over a window."""
    return cv2.GaussianBlur(values, WINDOW, WIDTH_OF_WINDOW)


if __name__ == "__main__":
    main()
