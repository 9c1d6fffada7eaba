import logging
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator

import av.error
import cv2
from av.container import InputContainer

from jde.structures.errors import InputError
from jde.structures.frame import Frame, Image, Picture, size_of
from jde.structures.letterbox import Size
from jde.video.decoding import (
    CONNECTION_TIMEOUT,
    DEFAULT_FRAME_RATE,
    DecodedPicture,
    DecodingRecord,
    decoded,
    first_size,
    frame_rate_of,
    open_video,
    without_password,
)
from jde.video.source import VideoSource

logger = logging.getLogger(__name__)

BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait before each attempt to reach a lost stream again."""


class LiveSource(VideoSource):
    """Pictures that arrive by the clock: a thread takes them in, the reader gets the newest.

    A reader that is slower than the stream skips frames instead of falling behind. Seconds are
    those of the clock on arrival, so that identities live as long as they should.
    """

    live = True
    _slot: "_NewestFrame | None" = None

    def close(self) -> None:
        """Let go of the device or connection; who waits for the next picture stops waiting."""
        if self._slot is not None:
            self._slot.finish()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame whenever the reader asks, until the stream is gone for good."""
        slot = self._slot = _NewestFrame()
        taker = threading.Thread(target=self._take_in, args=(slot,), daemon=True)
        taker.start()
        try:
            yield from slot.frames()
        finally:
            slot.finish()
            taker.join(CONNECTION_TIMEOUT)
            if slot.skipped:
                logger.info("%s: %d frames were skipped to stay live", self.origin, slot.skipped)

    @abstractmethod
    def pictures(self) -> Iterator[Image | Picture]:
        """Yield pictures as they arrive until the connection ends."""

    def _take_in(self, slot: "_NewestFrame") -> None:
        try:
            for picture in self.pictures():
                if size_of(picture) != self.size:
                    raise InputError(f"{self.origin}: changed its picture size; start again")  # noqa: TRY301 (told to the reader like any other fault)
                if not slot.put(picture):
                    return
        except Exception as error:  # noqa: BLE001 (raised again where the frames are read)
            slot.finish(error)
        else:
            slot.finish()


class _NewestFrame:
    """One place for one frame between two threads; a newer frame replaces one not yet taken."""

    def __init__(self) -> None:
        self.skipped = 0
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._index = 0
        self._start: float | None = None
        self._finished = False
        self._error: Exception | None = None

    def put(self, picture: Image | Picture) -> bool:
        """Offer a picture; return whether anybody still reads."""
        now = time.monotonic()
        with self._changed:
            self._start = now if self._start is None else self._start
            self.skipped += self._frame is not None
            self._index += 1
            self._frame = Frame(picture, self._index, now - self._start)
            self._changed.notify_all()
            return not self._finished

    def finish(self, error: Exception | None = None) -> None:
        """Say that no more frames are given or taken."""
        with self._changed:
            self._finished = True
            self._error = self._error or error
            self._changed.notify_all()

    def frames(self) -> Iterator[Frame]:
        """Yield the newest frame each time one is there."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frame is not None or self._finished)
                frame, self._frame = self._frame, None
            if frame is None:
                break
            yield frame
        if self._error is not None:
            raise self._error


class NetworkStream(LiveSource):
    """An RTSP camera or another stream without end, reached again when it breaks off."""

    def __init__(self, url: str, back_off: tuple[float, ...] = BACK_OFF) -> None:
        self._url = url
        self._back_off = back_off
        self._gone = threading.Event()
        self._container: InputContainer | None = open_video(url)
        super().__init__(
            name="stream",
            origin=without_password(url),
            frame_rate=frame_rate_of(self._container.streams.video[0]),
            size=first_size(self._container, url),
            length=None,
        )

    def close(self) -> None:
        """Let go of the connection; one that is being waited for is given up."""
        super().close()
        self._gone.set()
        if self._container is not None:
            self._container.close()

    def pictures(self) -> Iterator[Picture]:
        """Yield pictures, across broken connections, until none can be made any more."""
        while not self._gone.is_set():
            container = self._container or self._reached_again()
            self._container = None
            if container is None:
                return
            yield from self._until_it_breaks(container)

    def _until_it_breaks(self, container: InputContainer) -> Iterator[Picture]:
        with container:
            try:
                for frame in decoded(container, DecodingRecord()):
                    if self._gone.is_set():
                        return
                    yield DecodedPicture(frame)
            except av.error.FFmpegError as error:
                logger.warning("%s: the stream broke off (%s)", self.origin, error.strerror)

    def _reached_again(self) -> InputContainer | None:
        for pause in self._back_off:
            if self._gone.wait(pause):
                return None
            try:
                return open_video(self._url)
            except InputError as error:
                logger.warning("%s; trying again", error)
        self.losses.append(
            f"{self.origin}: the stream ended or broke off and did not come back in "
            f"{len(self._back_off)} attempts"
        )
        logger.warning("%s", self.losses[-1])
        return None


class Camera(LiveSource):
    """A camera of this machine, by its number."""

    def __init__(self, number: int) -> None:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._device = cv2.VideoCapture(number)
        found, picture = self._device.read()
        if not found:
            raise InputError(
                f"camera {number}: can't be opened; try another number or close what uses it"
            )
        size: Size = (picture.shape[1], picture.shape[0])
        super().__init__(
            name=f"camera-{number}",
            origin=f"camera {number}",
            frame_rate=self._device.get(cv2.CAP_PROP_FPS) or DEFAULT_FRAME_RATE,
            size=size,
            length=None,
        )

    def close(self) -> None:
        """Let go of the device."""
        super().close()
        self._device.release()

    def pictures(self) -> Iterator[Image]:
        """Yield pictures until the camera is unplugged or closed."""
        while True:
            found, picture = self._device.read()
            if not found:
                return
            yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
