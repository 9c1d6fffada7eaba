from collections.abc import Iterator
from fractions import Fraction
from pathlib import PurePath

import av
from av.video.stream import VideoStream

from jde.structures.errors import InputError
from jde.structures.frame import Frame
from jde.video.decoding import (
    DecodedPicture,
    DecodingRecord,
    decoded,
    first_size,
    frame_rate_of,
    open_video,
    without_password,
)
from jde.video.source import VideoSource


class VideoFile(VideoSource):
    """A video of known length, in a file or behind an address.

    Frames carry the exact seconds of the file, also where its frame rate varies. Of a damaged or
    cut-off file every frame that decodes is given; `losses` then says what was missing.
    """

    def __init__(self, path: str) -> None:
        with open_video(path) as container:
            stream = container.streams.video[0]
            super().__init__(
                name=PurePath(path).stem,
                origin=without_password(path),
                frame_rate=frame_rate_of(stream),
                size=first_size(container, path),
                length=_packets_announced(stream) or None,
            )
        self._path = path

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame that decodes, then note in `losses` what was missing."""
        record = DecodingRecord()
        index = 0
        self.losses.clear()
        with open_video(self._path) as container:
            container.streams.video[0].thread_type = "AUTO"
            clock = _Clock(self.frame_rate)
            for index, frame in enumerate(decoded(container, record), start=1):
                picture = DecodedPicture(frame)
                if picture.size != self.size:
                    raise InputError(
                        f"{self.origin}: frame {index} is {picture.size[0]}x{picture.size[1]}, "
                        f"those before are {self.size[0]}x{self.size[1]}; cut the video there"
                    )
                yield Frame(picture, index, clock.seconds(frame))
        self._note_losses(index, record)

    def _note_losses(self, count: int, record: DecodingRecord) -> None:
        if record.packets >= (self.length or 0) and not record.damaged:
            return
        of_all = f" of {self.length}" if self.length else ""
        self.losses.append(
            f"{self.origin}: is cut off or damaged: only {count}{of_all} frames could be read"
        )


def _packets_announced(stream: VideoStream) -> int:
    """Return how many packets the file's header promises; 0 where it doesn't say.

    The count in the header includes what an edit list cuts away; the index doesn't.
    """
    return min(stream.frames, len(stream.index_entries) or stream.frames)


class _Clock:
    """Seconds since the first frame, by the frames' own stamps as far as they have any."""

    def __init__(self, frame_rate: float) -> None:
        self._period = 1 / frame_rate
        self._start: Fraction | None = None
        self._last = -self._period

    def seconds(self, frame: av.VideoFrame) -> float:
        if frame.pts is None or frame.time_base is None:
            self._last += self._period
        else:
            stamp = frame.pts * frame.time_base
            self._start = stamp if self._start is None else self._start
            # A damaged stamp may lie before the one it follows; time never goes back.
            self._last = max(float(stamp - self._start), self._last, 0.0)
        return self._last
