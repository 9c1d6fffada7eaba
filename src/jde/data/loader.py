"""Training pictures, loaded and changed by several processes, in batches."""

import logging
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import current_thread, main_thread
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Int64
from torch.utils.data import DataLoader, Dataset

from jde.data.augmentation import Augmentation, check_shape
from jde.data.batch import Batch
from jde.data.copy_paste import CopyPaste
from jde.data.mosaic import mosaic
from jde.data.sample import Sample, Source
from jde.data.sampling import Draw, EpochPlan
from jde.structures.errors import InputError

logger = logging.getLogger(__name__)

MAX_REPLACEMENTS = 20
"""How many pictures in a row may fail before a sample gives up."""
MAX_RESTARTS = 3
"""How often in an epoch the loading processes are started again."""
DEATH_NOTE = "DataLoader worker (pid"
"""How the message begins by which PyTorch tells that a loading process died."""


class Loaded(NamedTuple):
    """A training picture, and what was wrong with the ones it stands in for.

    Attributes:
        sample: The picture; the first of its views where there are several.
        faults: What was wrong with others.
        others: Its further views.
        rows: Of each view, the row in the unchanged picture's labels of everybody who is in it;
            empty where there is one view.
    """

    sample: Sample
    faults: tuple[str, ...]
    others: tuple[Sample, ...] = ()
    rows: tuple[Int64[np.ndarray, " _"], ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingPictures(Dataset[Loaded]):
    """Changed pictures of a source by their draw: the same draw gives the same pixels, always.

    Attributes:
        source: Where pictures come from.
        augmentation: What happens to them.
        seed: Seed of the run.
        mosaic: Probability of a picture put together from four.
        views: How many times each picture is shown, changed in another way each time.
        copy_paste: Puts people into each picture first; None puts nobody in.
    """

    source: Source
    augmentation: Augmentation
    seed: int = 0
    mosaic: float = 0.0
    views: int = 1
    copy_paste: CopyPaste | None = None

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, draw: Draw) -> Loaded:
        """Return the picture of `draw`, or the first of some others where it can't be read."""
        rng = np.random.default_rng((self.seed, *draw))
        found = self._load(draw.picture, rng)
        sample, faults = found.sample, found.faults
        if rng.random() < self.mosaic:
            others = [self._load(int(index), rng) for index in rng.integers(len(self), size=3)]
            parts = [sample, *(other.sample for other in others)]
            sample = mosaic(parts, self.augmentation.size, rng)
            faults += tuple(fault for other in others for fault in other.faults)
        if self.views == 1:
            return Loaded(self.augmentation(sample, rng), faults)
        views, rows = zip(*(self._view(sample, rng) for _ in range(self.views)), strict=True)
        return Loaded(views[0], faults, views[1:], rows)

    def _view(
        self, sample: Sample, rng: np.random.Generator
    ) -> tuple[Sample, Int64[np.ndarray, " n"]]:
        """Return a changed picture and the row of each of its people in the labels of `sample`."""
        identities = sample.labels.identities
        # Changes hand identities through: for a moment they say which row each person comes from.
        numbered = replace(sample.labels, identities=np.arange(len(identities)))
        view = self.augmentation(replace(sample, labels=numbered), rng)
        rows = view.labels.identities
        return replace(view, labels=replace(view.labels, identities=identities[rows])), rows

    def _load(self, index: int, rng: np.random.Generator) -> Loaded:
        faults = list[str]()
        while True:
            try:
                sample = self.source.load(index, rng)
                sample = self.copy_paste(sample, rng) if self.copy_paste else sample
                check_shape(sample, self.augmentation.size)
            except InputError as error:
                faults.append(str(error))
                if len(faults) > MAX_REPLACEMENTS:
                    raise
                index = int(rng.integers(len(self)))
            else:
                return Loaded(sample, tuple(faults))


def collate(loaded: Sequence[Loaded]) -> Batch:
    """Return the batch of some pictures of one size; the pixels lie in channels-last order.

    All have the same number of views; those of a picture follow one another.
    """
    samples = [sample for one in loaded for sample in (one.sample, *one.others)]
    images = np.stack([sample.image for sample in samples])
    corners = np.concatenate([sample.labels.boxes for sample in samples])
    sides = corners[:, 2:] - corners[:, :2]
    boxes = np.concatenate([corners[:, :2] + sides / 2, sides], axis=1)
    counts = [len(sample.labels) for sample in samples]
    return Batch(
        images=torch.from_numpy(images).permute(0, 3, 1, 2),
        boxes=torch.from_numpy(boxes),
        identities=torch.from_numpy(
            np.concatenate([sample.labels.identities for sample in samples])
        ),
        picture=torch.from_numpy(np.repeat(np.arange(len(samples)), counts)),
        names=tuple(str(sample.path) for sample in samples),
        faults=tuple(fault for one in loaded for fault in one.faults),
        views=1 + len(loaded[0].others),
        people=number_people(loaded) if loaded[0].others else None,
        classes=torch.from_numpy(np.concatenate([sample.labels.classes for sample in samples])),
    )


def number_people(loaded: Sequence[Loaded]) -> Int64[torch.Tensor, " m"]:
    """Return a number for each person in all views, the same in every view of one picture."""
    numbers, start = list[Int64[np.ndarray, " _"]](), 0
    for one in loaded:
        numbers += [start + rows for rows in one.rows]
        start += 1 + max(int(rows.max(initial=-1)) for rows in one.rows)
    return torch.from_numpy(np.concatenate(numbers))


class _BatchesLeft:
    """The batches that are still to do in the running epoch, for a DataLoader that lives on."""

    def __init__(self, plan: EpochPlan) -> None:
        self.plan, self.epoch, self.first = plan, 0, 0

    def __len__(self) -> int:
        return len(self.plan) - self.first

    def __iter__(self) -> Iterator[list[Draw]]:
        return self.plan.batches(self.epoch, self.first)


class TrainingLoader:
    """Batches of any epoch from any step on; the loading processes live on between epochs.

    A loading process that dies (the system ran out of memory, say) is started again, and the
    batches go on as if nothing had happened.

    Args:
        pictures: What to load.
        plan: In which order, and which share of it.
        workers: Number of loading processes; 0 loads in this one.
        max_faults: How many different pictures may be unreadable before the run stops.
        pin_memory: Hand out batches in page-locked memory, from where a GPU copies faster.
    """

    def __init__(
        self,
        pictures: TrainingPictures,
        plan: EpochPlan,
        *,
        workers: int = 2,
        max_faults: int = 100,
        pin_memory: bool = False,
    ) -> None:
        self.plan = plan
        self._pictures, self._workers, self._pin_memory = pictures, workers, pin_memory
        self._batches_left = _BatchesLeft(plan)
        self._max_faults = max_faults
        self._faults: set[str] = set()
        self._batches = self._start()

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self.plan)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from batch `start` on.

        Raises:
            InputError: Too many pictures can't be read.
            RuntimeError: Loading processes keep dying.
            OSError: Likewise.
            EOFError: Likewise.
        """
        restarts = 0
        while start < len(self.plan):
            self._batches_left.epoch, self._batches_left.first = number, start
            try:
                for batch in self._iterate():
                    self._report(batch.faults)
                    start += 1
                    yield batch
            except (RuntimeError, OSError, EOFError) as error:
                restarts += 1
                if restarts > MAX_RESTARTS or not self._means_death(error):
                    raise
                logger.warning("%r; starting the loading processes again", error)
                self._batches = self._start()
            except InputError as error:
                # A loading process hands over its traceback in front of the message.
                message = str(error).rpartition(f"{InputError.__name__}: ")[2]
                raise InputError(message.strip()) from error

    def _means_death(self, error: Exception) -> bool:
        """Return whether a loading process died, be it in the middle of handing over a batch."""
        return self._workers > 0 and (
            isinstance(error, OSError | EOFError) or DEATH_NOTE in str(error)
        )

    def _iterate(self) -> Iterator[Batch]:
        before = signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None
        batches = iter(self._batches)
        if before is not None and current_thread() is main_thread():
            # PyTorch's handler raises wherever the run just is, in the middle of a step, too.
            # Without it a death is noticed here, while waiting for the next batch.
            signal.signal(signal.SIGCHLD, before)
        return batches

    def _start(self) -> DataLoader[Loaded]:
        return DataLoader(
            self._pictures,
            batch_sampler=self._batches_left,
            num_workers=self._workers,
            collate_fn=collate,
            pin_memory=self._pin_memory,
            worker_init_fn=_prepare_worker,
            persistent_workers=self._workers > 0,
            # Its own generator: the run's random state must not depend on how loading goes.
            generator=torch.Generator(),
        )

    def _report(self, faults: Sequence[str]) -> None:
        for fault in faults:
            if fault not in self._faults:
                self._faults.add(fault)
                logger.warning("%s; another picture takes its place", fault)
        if len(self._faults) > self._max_faults:
            raise InputError(
                f"{len(self._faults)} training pictures can't be read, more than the "
                f"{self._max_faults} allowed; the last: {faults[-1]}"
            )


def _prepare_worker(number: int) -> None:  # noqa: ARG001 (signature of DataLoader)
    cv2.setNumThreads(0)
    # Ctrl-C goes to the training process, which asks its workers to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
