from itertools import cycle, islice
from pathlib import Path

from jde.data.scenes.scene import Scene
from jde.structures.letterbox import Size
from jde.video.writer import VideoWriter

DISTINCT = 12
"""Frames that are drawn; the video plays them forth and back, since drawing is slow."""

FRAME_RATE = 25.0


def write_drawn_video(path: Path, *, size: Size, people: int, frames: int) -> None:
    """Write a video of walkers as an H.264 file.

    Args:
        path: File to write.
        size: Width and height.
        people: How many are about at once.
        frames: Length of the video.
    """
    scene = Scene(seed=0, size=size, people=people, frame_rate=FRAME_RATE)
    drawn = [labelled.frame.image for labelled in scene.frames(min(frames, DISTINCT))]
    there_and_back = [*drawn, *drawn[-2:0:-1]]
    with VideoWriter(path, FRAME_RATE, small=True) as video:
        for image in islice(cycle(there_and_back), frames):
            video.write(image)
