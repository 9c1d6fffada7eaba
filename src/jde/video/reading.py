from pathlib import Path

from jde.structures.errors import InputError
from jde.video.decoding import is_url, open_video
from jde.video.live import Camera, NetworkStream
from jde.video.picture_sequence import open_folder
from jde.video.source import VideoSource
from jde.video.video_file import VideoFile


def read_video(source: str | Path | int, *, frame_rate: float | None = None) -> VideoSource:
    """Return the frames of a source, upright and in RGB, ready to iterate over.

    Args:
        source: Video file, folder of pictures, folder in the layout of MOTChallenge, number of a
            camera, or address of a stream (`rtsp://`, `http://`, ...).
        frame_rate: Frames per second of a folder of pictures.

    Raises:
        InputError: The source is missing, empty, or not what its name says, or the rate is none.
    """
    if frame_rate is not None and not frame_rate > 0:
        raise InputError(f"frame_rate must be above 0 frames per second, got {frame_rate:g}")
    if isinstance(source, str) and is_url(source):
        return VideoFile(source) if _has_an_end(source) else NetworkStream(source)
    path = Path(str(source))
    if path.is_dir():
        return open_folder(path, frame_rate)
    if path.exists():
        return VideoFile(str(path))
    if str(source).isdecimal():
        return Camera(int(str(source)))
    raise InputError(f"{path}: does not exist; give a video file, a folder or a stream")


def _has_an_end(url: str) -> bool:
    with open_video(url) as container:
        return bool(container.duration)
