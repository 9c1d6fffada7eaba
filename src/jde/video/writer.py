import math
import os
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from jde.structures.closing import Closing
from jde.structures.errors import InputError
from jde.structures.frame import Image, Picture, pixels_of, size_of
from jde.video.colours import LIMITED, PLAIN, Colours
from jde.video.decoding import ONE, planes_of
from jde.video.planes import Planes

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffixes that can be written and the name of their format."""

TICKS = 90_000
"""Parts of a second in which frames are stamped; the customary clock of video."""

DEFAULT_FRAME_RATE = 30.0
"""Taken where neither the caller nor the frames say one."""

QUALITY = "23"
"""Constant rate factor of x264: its own default, no visible loss."""

FAST = {"preset": "ultrafast", "x264-params": "deblock=0,0:8x8dct=1"}
"""Speed of x264: its fastest, but for two parts that cost little and show. It takes three fifths of
the time of the next slower one, for a quarter to a third more space at the same error."""

SMALL = {"preset": "superfast", "bf": "0"}
"""The next slower one, without frames derived from later ones: those would save an eighth of the
space for a third more time, and keep pictures waiting."""


class VideoWriter(Closing):
    """An H.264 video that grows frame by frame and gets its name when it is complete.

    ```python
    with VideoWriter("tracked.mp4") as video:
        video.write(image, seconds=0.04)
    ```

    Frames with `seconds` keep their own times, also uneven ones; others follow at `frame_rate`.
    Leaving the `with` block by an error or Ctrl-C still gives a file that plays.

    Args:
        path: File to write.
        frame_rate: Frames per second where they don't say their own times.
        small: Take two thirds more time for a file a fifth to a quarter smaller.
    """

    def __init__(
        self, path: str | Path, frame_rate: float | None = None, *, small: bool = False
    ) -> None:
        self.path = Path(path)
        self._options = {"crf": QUALITY, **(SMALL if small else FAST)}
        self._colours = PLAIN
        self._frame_rate = frame_rate or DEFAULT_FRAME_RATE
        self._partial = self.path.with_name(f".{self.path.name}.part")
        self._size = (0, 0)
        self._last_tick = -1
        self._duration = round(TICKS / self._frame_rate)
        self._stream: VideoStream | None = None
        self._container: OutputContainer | None = self._open()

    def write(self, picture: Image | Picture, seconds: float | None = None) -> None:
        """Append a picture, shown at `seconds` or one frame after the one before.

        A decoded picture whose pixels nobody has asked for is written in the video's own colours.

        Raises:
            InputError: The picture has another size than the first, or the file can't be written.
            ValueError: The writer was closed.
        """
        if self._container is None:
            raise ValueError(f"{self.path}: is closed")
        size = size_of(picture)
        planes = planes_of(picture)
        if self._stream is None:
            self._size, self._colours = size, planes.colours if planes else PLAIN
            self._stream = self._start(self._container)
        if size != self._size:
            raise InputError(
                f"{self.path}: was begun with {self._size[0]}x{self._size[1]} pictures, "
                f"now comes {size[0]}x{size[1]}; write one size per video"
            )
        frame = _encodable(picture, planes, self._colours)
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

    def _start(self, container: OutputContainer) -> VideoStream:
        stream = container.add_stream(
            "libx264", rate=_as_fraction(self._frame_rate), options=self._options
        )
        stream.width, stream.height = _even(self._size[0]), _even(self._size[1])
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        self._colours.mark(stream.codec_context)
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


def _encodable(picture: Image | Picture, planes: Planes | None, colours: Colours) -> av.VideoFrame:
    """Return the picture in the encoder's colours, its last row and column doubled if odd."""
    if planes is not None and planes.colours == colours:
        return planes.frame
    image = pixels_of(picture)
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    if colours == PLAIN:
        # A fifth of the time of FFmpeg's own conversion.
        pixels = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
    else:
        frame = VideoReformatter().reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
            format="yuv420p",
            dst_colorspace=colours.matrix,
            dst_color_range=colours.range or LIMITED,
            threads=ONE,
        )
    colours.mark(frame)
    return frame


def _even(side: int) -> int:
    return side + side % 2


def _as_fraction(frame_rate: float) -> Fraction:
    """Return the rate as FFmpeg takes it; 29.97 becomes 30000/1001."""
    if math.isclose(frame_rate * 1.001, round(frame_rate * 1.001), abs_tol=1e-3):
        return Fraction(round(frame_rate * 1.001) * 1000, 1001)
    return Fraction(frame_rate).limit_denominator(1000)
