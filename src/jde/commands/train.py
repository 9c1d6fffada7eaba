import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
import yaml
from accelerate import Accelerator, PartialState

from jde.config import RunConfig, load_config
from jde.data.config import build_joint_source, build_loader
from jde.data.joint import JointSource
from jde.data.loader import TrainingLoader
from jde.data.sampling import EpochPlan
from jde.losses.criterion import JDECriterion
from jde.model.builders import build_network
from jde.structures.errors import InputError
from jde.training.boards import board_errors, open_boards
from jde.training.checkpoint import find_snapshots
from jde.training.device import make_accelerator
from jde.training.freed_memory import keep_freed_memory
from jde.training.initialisation import initialise, starting_weights
from jde.training.judge import Judge
from jde.training.losable import losable
from jde.training.picture_files import digest
from jde.training.provenance import write_provenance
from jde.training.trainer import BEST, LOG, LOSSES, Outcome, Trainer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainOptions:
    """Train a network from a configuration file.

    Every key of the file can be given on the command line, too, by its dotted name:

        jde train configs/jde-nano.yaml --training.epochs 50 --model.input_size 576 320

    A run that was stopped or killed goes on with --resume to the same numbers.
    """

    config: Annotated[Path, tyro.conf.Positional]
    """YAML file; configs/ has one for each published run."""
    resume: bool = False
    """Go on from the latest checkpoint in the output folder, if there is one."""
    overrides: Annotated[tuple[tuple[str, Any], ...], tyro.conf.Suppress] = ()
    words: Annotated[tuple[str, ...], tyro.conf.Suppress] = ()


def parse_options(arguments: Sequence[str]) -> TrainOptions:
    """Return the options that `arguments` hold; dotted names override keys of the file."""
    plain: list[str] = []
    overrides: dict[str, list[str]] = {}
    values = plain
    for word in arguments:
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and is_key(name):
            values = overrides[name.replace("-", "_")] = [value] if equals else []
        elif word.startswith("--"):
            values = plain
            plain.append(word)
        else:
            values.append(word)
    options = tyro.cli(TrainOptions, prog="jde train", args=plain)
    found = tuple((name, to_value(words)) for name, words in overrides.items())
    return replace(options, overrides=found, words=tuple(arguments))


def is_key(name: str) -> bool:
    """Return whether an option belongs to the configuration rather than to the command."""
    return "." in name or name in {one.name for one in fields(RunConfig)}


def to_value(words: Sequence[str]) -> Any:
    """Return what the words after an option mean: nothing is true, several are a list."""
    values = [yaml.safe_load(word) for word in words]
    return True if not values else values[0] if len(values) == 1 else values


def run(options: TrainOptions) -> str:
    """Train and say where everything is; of several processes only the main one does."""
    config = load_config(options.config, dict(options.overrides))
    outcome = train(config, resume=options.resume)
    if outcome.weights is None:
        # With every key that was given: another --output would hold another run.
        words = [word for word in options.words if word != "--resume"]
        logger.info("%s; go on with: jde train %s --resume", outcome.reason, shlex.join(words))
        raise KeyboardInterrupt
    if not PartialState().is_main_process:
        return ""
    written = {"weights": outcome.weights}
    if outcome.position.best is not None:
        written["best"] = config.output / BEST
    written |= {"log": config.output / LOG, "losses": config.output / LOSSES}
    end = (
        f"{outcome.reason} after {outcome.position.total} steps in "
        f"{outcome.position.minutes:.1f} minutes"
    )
    # On a full disk a run goes on without some of them.
    lines = (f"{name + ':':<10}{path}" for name, path in written.items() if path.exists())
    return "\n".join([end, *lines])


def train(config: RunConfig, *, resume: bool = False) -> Outcome:
    """Train as the configuration says.

    Args:
        config: The run.
        resume: Go on from the latest checkpoint of the output folder, if there is one.

    Raises:
        InputError: Something in the configuration, data or output folder is wrong.
    """
    if find_snapshots(config.output / "checkpoints") and not resume:
        raise InputError(
            f"{config.output}: holds a run already; go on with --resume or choose another --output"
        )
    config.output.mkdir(parents=True, exist_ok=True)
    accelerator = make_accelerator(config.training, config.output)
    if not accelerator.is_main_process:  # All say the same, apart from what goes wrong.
        logging.getLogger("jde").setLevel(logging.WARNING)
    torch.manual_seed(config.seed)
    model = config.model.resolve()
    source = build_joint_source(config.data, model.input_size, len(model.classes))
    network = build_network(model)
    for weights in starting_weights(config.training):
        initialise(network, weights)
    criterion = JDECriterion(model.anchors, model.embedding_dim, source.identity_count, config.loss)
    if accelerator.device.type == "cpu":
        keep_freed_memory()
    feed = make_feed(config, source, accelerator)
    trainer = Trainer(network, criterion, feed, config.training, config.output, accelerator)
    if not (resume and trainer.resume()):
        trainer.prepare_start()
    judge = make_judge(config, source, accelerator)
    if accelerator.is_main_process:
        describe_run(config, source, trainer, judge)
    open_boards(accelerator, asdict(config), trainer.position.total)
    try:
        return trainer.train(judge)
    finally:
        with losable("what boards show is", board_errors()):
            accelerator.end_training()


def make_judge(config: RunConfig, source: JointSource, accelerator: Accelerator) -> Judge | None:
    """Return what scores the network while it learns, None where nothing is to be scored.

    Raises:
        InputError: A sequence or picture to score on is missing or malformed.
    """
    if not config.evaluation.is_on:
        return None
    model = config.model.resolve()
    judge = Judge.open(
        config.evaluation,
        config.tracker,
        model.input_size,
        str(accelerator.device),
        classes=len(model.classes),
    )
    return judge.watch(source) if accelerator.is_main_process else judge


def make_feed(config: RunConfig, source: JointSource, accelerator: Accelerator) -> TrainingLoader:
    """Return the batches of this process.

    Raises:
        InputError: The batch can't be split evenly, or the loss needs more views than there are.
    """
    recipe, views = config.training, config.data.views
    parts = recipe.accumulate * accelerator.num_processes * views
    if recipe.batch_size % parts:
        raise InputError(
            f"training.batch_size {recipe.batch_size} can't be split into {parts} equal parts "
            f"({accelerator.num_processes} processes, accumulate {recipe.accumulate}, "
            f"views {views})"
        )
    if config.loss.views and views == 1:
        raise InputError("loss.views compares views of one picture: set data.views to 2")
    if len(source) * views < recipe.batch_size and accelerator.is_main_process:
        logger.warning(
            "%d pictures don't fill one step of %d: an epoch is one smaller step",
            len(source),
            recipe.batch_size // views,
        )
    plan = EpochPlan(
        len(source),
        recipe.batch_size // parts,
        config.seed,
        process=accelerator.process_index,
        processes=accelerator.num_processes,
        accumulate=recipe.accumulate,
    )
    pin_memory = accelerator.device.type == "cuda"
    return build_loader(
        config.data, source, plan, config.model.resolve().input_size, pin_memory=pin_memory
    )


def describe_run(
    config: RunConfig, source: JointSource, trainer: Trainer, judge: Judge | None
) -> None:
    """Write and log what the run consists of."""
    count = sum(parameter.numel() for parameter in trainer.network.parameters())
    facts = {
        "pictures": {one.name: len(one) for one in source.sources},
        "digests": [[one.name, digest(one)] for one in source.sources],
        "evaluation": judge.facts() if judge else None,
        "seed": config.seed,
        "identities": source.identity_count,
        "parameters": count,
        "steps_per_epoch": trainer.steps_per_epoch,
        "device": str(trainer.accelerator.device),
        "processes": trainer.accelerator.num_processes,
        "resumed_at": trainer.position.total,
    }
    write_provenance(config.output / "run.json", asdict(config), facts)
    logger.info(
        "%d pictures of %d sources, %d identities; %.2f M parameters on %s",
        len(source),
        len(source.sources),
        source.identity_count,
        count / 1e6,
        trainer.accelerator.device,
    )
