"""What files and streams share: opening with FFmpeg, and turning its frames into ours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from jde.structures.errors import InputError
from jde.structures.frame import Image, Picture
from jde.structures.letterbox import Size
from jde.video.planes import Planes

DEFAULT_FRAME_RATE = 30.0
"""Taken where a source doesn't say how fast it is."""

MAX_FRAME_RATE = 1000.0
"""More is the ticking of a stream's clock, not a number of pictures."""

CONNECTION_TIMEOUT = 10.0
"""Seconds to wait for a stream to open, or for its next packet."""

AVERAGED = Interpolation.AREA | Interpolation.ACCURATE_RND
ONE = 1
"""Threads that convert a picture: starting more takes longer than the conversion."""


@dataclass(slots=True)
class DecodingRecord:
    """What went by while a video was decoded: packets in all, and packets that were damaged."""

    packets: int = 0
    damaged: int = 0


def is_url(source: str) -> bool:
    """Return whether `source` names a network stream."""
    return re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE) is not None


def without_password(url: str) -> str:
    """Return the address as it may be shown and logged."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", url)


def open_video(source: str) -> InputContainer:
    """Open a file or stream that has pictures.

    Raises:
        InputError: It can't be opened or holds no pictures.
    """
    try:
        if is_url(source):
            options = {"rtsp_transport": "tcp"} if source.lower().startswith("rtsp") else {}
            container = av.open(source, options=options, timeout=CONNECTION_TIMEOUT)
        else:
            container = av.open(source)
    except av.error.FFmpegError as error:
        raise InputError(f"{without_password(source)}: {_why_not_opened(error)}") from error
    if not container.streams.video:
        container.close()
        raise InputError(f"{without_password(source)}: holds no pictures; give a video file")
    return container


def _why_not_opened(error: av.error.FFmpegError) -> str:
    if isinstance(error, av.error.InvalidDataError):
        return "is no video, or was cut off before its index was written; play or copy it anew"
    return f"can't be opened ({error.strerror})"


def frame_rate_of(stream: VideoStream) -> float:
    """Return the frames per second that a stream states, or the default."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < float(rate) <= MAX_FRAME_RATE:
            return float(rate)
    return DEFAULT_FRAME_RATE


def first_size(container: InputContainer, source: str) -> Size:
    """Decode up to the first picture and return its upright width and height."""
    for frame in decoded(container, DecodingRecord()):
        return upright_size(frame)
    raise InputError(f"{without_password(source)}: no picture of it can be decoded; copy it anew")


def decoded(container: InputContainer, record: DecodingRecord) -> Iterator[av.VideoFrame]:
    """Yield what decodes of the first video stream and keep `record` of what went by."""
    packets = container.demux(container.streams.video[0])
    while True:
        try:
            packet = next(packets)
            record.packets += packet.size > 0
            frames = packet.decode()
        except (StopIteration, av.error.EOFError):
            return
        except av.error.InvalidDataError:
            record.damaged += 1
            continue
        yield from frames


class DecodedPicture:
    """A decoded frame, turned as its metadata asks, which stays in the video's own colours.

    RGB pixels are made when they are asked for: all of them once, or a reduced picture straight
    from the decoder's planes. What is drawn on the planes shows in pixels made afterwards.
    """

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        self._turns = _quarter_turns(frame)
        self._planes: Planes | None = None
        self._pixels: Image | None = None

    @property
    def size(self) -> Size:
        """Width and height of the upright picture."""
        return upright_size(self._frame)

    def whole(self) -> Image:
        """Return all RGB pixels; they may be drawn on."""
        if self._pixels is None:
            self._pixels = self._turn(self._frame.to_ndarray(format="rgb24", threads=ONE))
        return self._pixels

    def planes(self) -> Planes | None:
        """Return luma and chroma that may be drawn on.

        None where the video has another format, and once all pixels were made: those may have been
        drawn on themselves.
        """
        if self._pixels is not None:
            return None
        if self._planes is None:
            self._planes = Planes.copy_of(self._frame, self._turns)
            if self._planes is not None:
                self._frame, self._turns = self._planes.frame, 0
        return self._planes

    def scaled_down(self, size: Size) -> Image:
        """Return RGB pixels, each the average of an area: as of `whole` but for rounding."""
        width, height = reversed(size) if self._turns % 2 else size
        # Planar RGB: FFmpeg would halve the colours of a packed one.
        return self._turn(
            self._frame.to_ndarray(
                format="gbrp", width=width, height=height, interpolation=AVERAGED, threads=ONE
            )
        )

    def _turn(self, pixels: Image) -> Image:
        return np.ascontiguousarray(np.rot90(pixels, self._turns)) if self._turns else pixels


def planes_of(picture: Image | Picture) -> Planes | None:
    """Return the luma and chroma of a decoded picture that may be drawn on; None of any other."""
    return picture.planes() if isinstance(picture, DecodedPicture) else None


def upright_size(frame: av.VideoFrame) -> Size:
    """Return width and height of a frame once it is turned as its metadata asks."""
    size = (frame.width, frame.height)
    return (size[1], size[0]) if _quarter_turns(frame) % 2 else size


def _quarter_turns(frame: av.VideoFrame) -> int:
    return round(frame.rotation / 90) % 4
