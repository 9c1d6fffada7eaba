"""The engine: draws batches, takes steps, writes down how far it came."""

import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from jde.data.batch import Batch
from jde.losses.criterion import JDECriterion, LossParts
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.training.boards import board_errors, board_name
from jde.training.checkpoint import Position, find_snapshots, read_snapshot, write_snapshot
from jde.training.clock import Clock
from jde.training.config import TrainingConfig
from jde.training.device import make_accelerator
from jde.training.feed import Feed
from jde.training.imprinting import imprint
from jde.training.interruption import Interruption
from jde.training.journal import SCORES, Entry, Journal, Meter, plot_losses, plot_scores
from jde.training.judge import Figures, Judge
from jde.training.losable import losable
from jde.training.norm_statistics import set_statistics
from jde.training.optimiser import build_optimiser, set_learning_rate
from jde.training.progress import ProgressLine
from jde.training.schedule import learning_rate
from jde.training.state import Learner
from jde.training.task import FrozenStages, TrainingTask, freeze_norm, keep_fitted_embedding
from jde.training.weight_average import WeightAverage
from jde.weights.native import write_network

logger = logging.getLogger(__name__)

WEIGHTS, BEST = "weights.safetensors", "best.safetensors"
LOG, LOSSES = "log.jsonl", "losses.png"
NAMES_SHOWN = 8
"""Pictures of a bad batch that the message names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        position: How far it came.
        weights: The final weights; None where a signal stopped the run before its end.
        reason: Why it stopped.
    """

    position: Position
    weights: Path | None
    reason: str


def prepare_network(network: JDENet, config: TrainingConfig, device: torch.device) -> None:
    """Set normalisation and memory order of a network as the recipe says."""
    keep_fitted_embedding(network)
    if config.frozen_norm:
        freeze_norm(network)
    set_statistics(network, config.norm_statistics, device)
    if config.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class Trainer:
    """Trains one network; all state that a run needs to go on lives here."""

    def __init__(
        self,
        network: JDENet,
        criterion: JDECriterion,
        feed: Feed,
        config: TrainingConfig,
        output: Path,
        accelerator: Accelerator | None = None,
    ) -> None:
        """Bring network, criterion and optimiser onto the device.

        Args:
            network: What learns; it is changed.
            criterion: Its loss; it learns, too.
            feed: Batches of this process.
            config: The recipe.
            output: Folder of checkpoints, log and weights.
            accelerator: Device and processes; made as the recipe says where None.
        """
        self.config, self.feed, self.output = config, feed, output
        self.accelerator = accelerator or make_accelerator(config, output)
        self.network, self.criterion = network, criterion
        prepare_network(network, config, self.accelerator.device)
        self.frozen = FrozenStages(network.backbone, config.frozen_stages)
        shared = self.accelerator.num_processes > 1
        task = TrainingTask(
            network,
            criterion,
            channels_last=config.channels_last,
            average=self._mean if shared else None,
        ).to(self.accelerator.device)
        self.average = WeightAverage(network, config.ema) if config.ema else None
        self.optimiser = build_optimiser(task, config)
        if config.compile:
            network.compile()
        self.task, self.stepper = self.accelerator.prepare(task, self.optimiser)
        self.learner = Learner(
            network, criterion, self.optimiser, self.average, self.accelerator.scaler
        )
        self.position = Position()
        self.judge: Judge | None = None
        self.journal = Journal(output / LOG)
        self.steps_per_epoch = len(feed) // config.accumulate
        if not self.steps_per_epoch:
            raise InputError(
                f"the training pictures don't fill one batch of {config.batch_size}; "
                "make training.batch_size smaller"
            )

    @property
    def best_network(self) -> JDENet:
        """The network to judge and keep: averaged weights where there are any."""
        return self.average.network if self.average else self.network

    def prepare_start(self) -> None:
        """Empty the log and, where the recipe says so, imprint the classifier: for a fresh run."""
        if self.accelerator.is_main_process:
            self.journal.path.unlink(missing_ok=True)
        if self.config.imprint:
            with self.accelerator.autocast():
                imprint(self.accelerator.unwrap_model(self.task), self.feed, self.config.imprint)

    def resume(self) -> bool:
        """Go on from the latest checkpoint of the output folder; return whether there was one."""
        found = find_snapshots(self.output / "checkpoints")
        if not found:
            return False
        snapshot = read_snapshot(found[-1])
        try:
            self.learner.restore(snapshot)
        except (RuntimeError, KeyError, ValueError) as error:
            raise InputError(
                f"{found[-1]}: belongs to another network, optimiser or set of identities ({error})"
            ) from error
        self.position = snapshot.position
        self.journal.rewind(self.position.total, self.position.epoch)
        logger.info("going on from %s", found[-1])
        return True

    def train(self, judge: Judge | None = None) -> Outcome:
        """Train until nothing is left to do or something stops the run; return how it ended.

        Args:
            judge: Scores the network between epochs; the best weights are kept then.
        """
        self.judge = judge
        total = self.config.epochs * self.steps_per_epoch
        started = time.monotonic() - 60 * self.position.minutes
        is_main = self.accelerator.is_main_process
        reason = "all epochs done"
        with (
            Interruption() as interruption,
            ProgressLine(total, self.position.total, visible=is_main) as line,
        ):
            clock = Clock(started, time.monotonic())
            for epoch in range(self.position.epoch, self.config.epochs):
                reason = self._why_enough() or self._epoch(epoch, line, interruption, clock)
                if reason:
                    break
                self._finish_epoch(epoch)
            else:
                reason = "all epochs done"
        self._checkpoint()
        if self.position.step:
            self._plot()
        if interruption.name:
            return Outcome(self.position, None, f"stopped by {interruption.name}")
        return Outcome(self.position, self._write_last(), reason)

    def _epoch(
        self, epoch: int, line: ProgressLine, interruption: Interruption, clock: Clock
    ) -> str:
        """Train the rest of an epoch; return why the run has to stop, if it has."""
        meter, mark = Meter.empty(), time.monotonic()
        self.task.train()
        self.frozen.settle()
        for parts in self._groups(epoch):
            rate = learning_rate(self.config, self.position.total, self.steps_per_epoch)
            for losses, pictures in self._step(parts, rate):
                meter.add(losses, pictures)
            self.position = replace(
                self.position,
                step=self.position.step + 1,
                total=self.position.total + 1,
                minutes=clock.minutes(),
            )
            reason = self._why_stop(interruption)
            # What goes on later has the lines of a run that nobody stopped.
            is_last = self.position.step == self.steps_per_epoch or (
                bool(reason) and not interruption.name
            )
            if is_last or self.position.total % self.config.log_steps == 0:
                mark = self._log(epoch, meter, rate, mark, line)
                meter = Meter.empty()
            if reason:
                return reason
            if clock.since_checkpoint() >= self.config.checkpoint_minutes:
                self._checkpoint()
                clock.checkpoint = time.monotonic()
        return ""

    def _groups(self, epoch: int) -> Iterator[Sequence[Batch]]:
        """Yield the batches of each optimiser step that this epoch still has."""
        size = self.config.accumulate
        batches = self.feed.epoch(epoch, self.position.step * size)
        left = self.steps_per_epoch - self.position.step
        for _ in range(left):
            yield list(itertools.islice(batches, size))

    def _step(self, batches: Sequence[Batch], rate: float) -> Iterator[tuple[LossParts, int]]:
        """Take one optimiser step; yield losses and number of pictures of each of its parts."""
        set_learning_rate(self.optimiser, rate)
        for index, batch in enumerate(batches):
            is_last = index == len(batches) - 1
            with nullcontext() if is_last else self.accelerator.no_sync(self.task):
                losses: LossParts = self.task(batch.to(self.accelerator.device))
                self._check_finite(losses, batch)
                self.accelerator.backward(losses.total / len(batches))
            yield losses, len(batch)
        if self.config.clip_gradients:
            self.accelerator.clip_grad_norm_(self.task.parameters(), self.config.clip_gradients)
        self.stepper.step()
        self.stepper.zero_grad(set_to_none=True)
        if self.average:
            self.average.update(self.network, self.position.total)

    def _check_finite(self, losses: LossParts, batch: Batch) -> None:
        if bool(torch.isfinite(losses.total)):
            return
        shown = ", ".join(batch.names[:NAMES_SHOWN])
        more = len(batch.names) - NAMES_SHOWN
        raise InputError(
            f"the loss is {losses.total.item()} at step {self.position.total} (box "
            f"{losses.box.tolist()}, objectness {losses.objectness.tolist()}, identity "
            f"{losses.identity.tolist()}); look at the labels of {shown}"
            f"{f' and {more} more' if more > 0 else ''}, or lower training.learning_rate"
        )

    def _why_stop(self, interruption: Interruption) -> str:
        late = 0 < self.config.max_minutes <= self.position.minutes
        flags = torch.tensor([float(bool(interruption.name)), float(late)])
        if self.accelerator.num_processes > 1:
            # All processes stop after the same step, whoever was told.
            flags = self._mean(flags.to(self.accelerator.device))
        if flags[0] > 0:
            interruption.name = interruption.name or "a signal to another process"
            return interruption.name
        return "time limit reached" if flags[1] > 0 else ""

    def _log(self, epoch: int, meter: Meter, rate: float, mark: float, line: ProgressLine) -> float:
        now = time.monotonic()
        pictures = meter.pictures * self.accelerator.num_processes
        means = meter.means()
        if self.accelerator.num_processes > 1:
            # Each process measures its share of the whole batch's mean.
            values = torch.tensor(list(means.values()), device=self.accelerator.device)
            means = dict(zip(means, self._mean(values).tolist(), strict=True))
        numbers = {
            **means,
            "learning_rate": rate,
            "images_per_second": pictures / max(now - mark, 1e-9),
        }
        if self.accelerator.is_main_process:
            self._write_entry(epoch, numbers)
        self._tell_boards(numbers)
        line.show(self.position.total, epoch, numbers)
        return now

    def _finish_epoch(self, epoch: int) -> None:
        self.position = replace(self.position, epoch=epoch + 1, step=0)
        if self.judge and self.judge.config.is_due(epoch + 1, self.config.epochs):
            self._evaluate(self.judge, epoch)
        self._checkpoint()
        self._plot()

    def _write_entry(self, epoch: int, values: Entry) -> None:
        minutes = round(self.position.minutes, 3)
        with losable("a line of the log is"):
            self.journal.write(
                {"step": self.position.total, "epoch": epoch, "minutes": minutes, **values}
            )

    def _tell_boards(self, numbers: Figures) -> None:
        with losable("what boards show is", board_errors()):
            self.accelerator.log(numbers, step=self.position.total)

    def _plot(self) -> None:
        if self.accelerator.is_main_process:
            with losable("the plot of the losses is"):
                plot_losses(self.journal, self.output / LOSSES)

    def _evaluate(self, judge: Judge, epoch: int) -> None:
        """Score the network and keep its weights where they are the best so far."""
        found: tuple[Figures, bool] = {}, False
        if self.accelerator.is_main_process:
            figures = judge.score(self.best_network)
            found = figures, self._keep_best(judge.choose(figures))
        if self.accelerator.num_processes > 1:
            found = broadcast_object_list([found])[0]
        figures, is_best = found
        stale = 0 if is_best else self.position.stale + 1
        best = judge.choose(figures) if is_best else self.position.best
        self.position = replace(self.position, best=best, stale=stale)
        if self.accelerator.is_main_process:
            self._write_scores(judge, epoch, figures)
        self._tell_boards({f"scores/{board_name(name)}": one for name, one in figures.items()})

    def _keep_best(self, score: float) -> bool:
        """Keep the weights if none were better; return whether they were and the disk has them."""
        is_kept = False
        if self.position.best is None or score > self.position.best:
            with losable(f"{BEST} is"):
                self._write_weights(BEST)
                is_kept = True
        return is_kept

    def _write_scores(self, judge: Judge, epoch: int, figures: Figures) -> None:
        marks = {"best": not self.position.stale, "trained_on": bool(judge.trained_on)}
        self._write_entry(epoch, {SCORES: figures, **marks})
        with losable("the plot of the scores is"):
            plot_scores(self.journal, self.output / "metrics.png")
        logger.info(
            "epoch %d: %s%s%s",
            epoch,
            ", ".join(f"{name} {value:.4f}" for name, value in figures.items()),
            "" if self.position.stale else "; the best so far",
            " (pictures that are trained on)" if judge.trained_on else "",
        )

    def _why_enough(self) -> str:
        patience = self.judge.config.patience if self.judge else 0
        return (
            f"no better score in {patience} evaluations"
            if 0 < patience <= self.position.stale
            else ""
        )

    def _checkpoint(self) -> None:
        if not self.accelerator.is_main_process:
            return
        with losable("a checkpoint is"):
            write_snapshot(
                self.output / "checkpoints",
                self.learner.snapshot(self.position),
                keep=self.config.keep_checkpoints,
            )

    def _write_last(self) -> Path:
        try:
            return self._write_weights(WEIGHTS)
        except OSError as error:
            raise InputError(f"{error}, then go on with --resume") from error

    def _write_weights(self, name: str) -> Path:
        path = self.output / name
        if self.accelerator.is_main_process:
            write_network(path, self.best_network, criterion=self.criterion.state_dict())
        return path

    def _mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over all processes."""
        mean: torch.Tensor = self.accelerator.reduce(values, reduction="mean")
        return mean
