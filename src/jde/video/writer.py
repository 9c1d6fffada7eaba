import math
import os
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from jde.structures.closing import Closing
from jde.structures.errors import InputError
from jde.structures.frame import Image

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffixes that can be written and the name of their format."""

TICKS = 90_000
"""Parts of a second in which frames are stamped; the customary clock of video."""

DEFAULT_FRAME_RATE = 30.0
"""Taken where neither the caller nor the frames say one."""

QUALITY = "23"
"""Constant rate factor of x264: its own default, no visible loss."""

PRESET = "superfast"
"""Speed of x264: the next slower one costs two thirds more time, so that it would often be the
slowest stage of a pipeline; the next faster one needs half as much space again."""

BETWEEN = "0"
"""Frames that x264 may derive from later ones: those would save an eighth of the space for a third
more time, and keep pictures waiting."""


class VideoWriter(Closing):
    """An H.264 video that grows frame by frame and gets its name when it is complete.

    ```python
    with VideoWriter("tracked.mp4") as video:
        video.write(image, seconds=0.04)
    ```

    Frames with `seconds` keep their own times, also uneven ones; others follow at `frame_rate`.
    Leaving the `with` block by an error or Ctrl-C still gives a file that plays.
    """

    def __init__(self, path: str | Path, frame_rate: float | None = None) -> None:
        self.path = Path(path)
        self._frame_rate = frame_rate or DEFAULT_FRAME_RATE
        self._partial = self.path.with_name(f".{self.path.name}.part")
        self._size = (0, 0)
        self._last_tick = -1
        self._duration = round(TICKS / self._frame_rate)
        self._stream: VideoStream | None = None
        self._container: OutputContainer | None = self._open()

    def write(self, image: Image, seconds: float | None = None) -> None:
        """Append a picture, shown at `seconds` or one frame after the one before.

        Raises:
            InputError: The picture has another size than the first, or the file can't be written.
            ValueError: The writer was closed.
        """
        if self._container is None:
            raise ValueError(f"{self.path}: is closed")
        if self._stream is None:
            self._stream = self._start(self._container, image)
        if (image.shape[1], image.shape[0]) != self._size:
            raise InputError(
                f"{self.path}: was begun with {self._size[0]}x{self._size[1]} pictures, "
                f"now comes {image.shape[1]}x{image.shape[0]}; write one size per video"
            )
        frame = _encodable(image)
        frame.pts = self._tick(seconds)
        frame.time_base = Fraction(1, TICKS)
        self._encode(self._container, self._stream, frame)

    def close(self) -> None:
        """Write what is left and give the file its name; without frames there is no file."""
        container, self._container = self._container, None
        if container is None:
            return
        if self._stream is not None:
            try:
                self._encode(container, self._stream, None)
            except InputError:
                self._give_up(container)
                raise
        try:
            container.close()
            if self._stream is not None:
                self._partial.replace(self.path)
        except (av.error.FFmpegError, OSError) as error:
            raise self._unwritable(error) from error
        finally:
            self._partial.unlink(missing_ok=True)

    def _open(self) -> OutputContainer:
        container = CONTAINERS.get(self.path.suffix.lower())
        if container is None:
            raise InputError(
                f"{self.path}: no video format is called {self.path.suffix!r}; "
                f"use one of {', '.join(CONTAINERS)}"
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return av.open(
                str(self._partial),
                "w",
                format=container,
                options={} if container == "matroska" else {"movflags": "faststart"},
            )
        except (av.error.FFmpegError, OSError) as error:
            raise self._unwritable(error) from error

    def _start(self, container: OutputContainer, image: Image) -> VideoStream:
        self._size = (image.shape[1], image.shape[0])
        stream = container.add_stream(
            "libx264",
            rate=_as_fraction(self._frame_rate),
            options={"preset": PRESET, "crf": QUALITY, "bf": BETWEEN},
        )
        stream.width, stream.height = _even(self._size[0]), _even(self._size[1])
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        # Said in the file, so that players don't guess the colours from the picture's size.
        stream.codec_context.colorspace = Colorspace.ITU601
        stream.codec_context.color_range = ColorRange.MPEG
        return stream

    def _tick(self, seconds: float | None) -> int:
        if seconds is None:
            step = TICKS / self._frame_rate
            tick = 0 if self._last_tick < 0 else round(self._last_tick + step)
        else:
            tick = round(seconds * TICKS)
        # Two frames of one moment would stop the muxer; a camera's clock may repeat itself.
        tick = max(tick, self._last_tick + 1)
        if self._last_tick >= 0:
            self._duration = tick - self._last_tick
        self._last_tick = tick
        return tick

    def _encode(
        self, container: OutputContainer, stream: VideoStream, frame: av.VideoFrame | None
    ) -> None:
        try:
            for packet in stream.encode(frame):
                # Only that of the last one counts: it is shown for as long as the one before.
                packet.duration = packet.duration or self._duration
                container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            raise self._unwritable(error) from error

    def _give_up(self, container: OutputContainer) -> None:
        try:
            container.close()
        except (av.error.FFmpegError, OSError):
            pass  # The disk is full; the caller is about to hear so.
        finally:
            self._partial.unlink(missing_ok=True)

    def _unwritable(self, error: Exception) -> InputError:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and 0 < number < 256 else str(error)  # noqa: PLR2004 (FFmpeg's own numbers are far above the system's)
        return InputError(f"{self.path}: can't be written ({reason}); make room or choose another")


def _encodable(image: Image) -> av.VideoFrame:
    """Return the picture in the encoder's colours, its last row and column doubled if odd."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    # A fifth of the time of FFmpeg's own conversion.
    planes = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YUV_I420)
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.colorspace, frame.color_range = Colorspace.ITU601, ColorRange.MPEG
    return frame


def _even(side: int) -> int:
    return side + side % 2


def _as_fraction(frame_rate: float) -> Fraction:
    """Return the rate as FFmpeg takes it; 29.97 becomes 30000/1001."""
    if math.isclose(frame_rate * 1.001, round(frame_rate * 1.001), abs_tol=1e-3):
        return Fraction(round(frame_rate * 1.001) * 1000, 1001)
    return Fraction(frame_rate).limit_denominator(1000)
