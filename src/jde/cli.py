"""Words to calls, nothing else: finds the command, parses its options, prints what it returns."""

import importlib
import logging
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from jde.structures.errors import InputError, MissingExtraError

INPUT_ERROR, INTERRUPTED = 2, 130

EXTRAS = {
    "accelerate": "train",
    "faster_coco_eval": "coco",
    "matplotlib": "train",
    "nncf": "export",
    "onnx": "export",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "tensorboard": "train",
    "torch": "torch",
}
"""Packages that the core install lacks, and the extra that brings each."""


class Command(NamedTuple):
    """Where a command lives and what it does, so that help needs no import of it."""

    module: str
    options: str
    summary: str


COMMANDS = {
    "demo": Command("demo", "DemoOptions", "make a scene, track it, score it, write a video"),
    "track": Command("track", "TrackOptions", "track the people in a video, folder or sequence"),
    "train": Command("train", "TrainOptions", "train a network from a configuration file"),
    "fit-embedding": Command(
        "fit_embedding", "FitEmbeddingOptions", "teach a trained network to tell people apart"
    ),
    "evaluate tracking": Command(
        "evaluate_tracking", "EvaluateTrackingOptions", "CLEAR, Identity and HOTA of result files"
    ),
    "evaluate detection": Command(
        "evaluate_detection", "EvaluateDetectionOptions", "precision, recall and AP over pictures"
    ),
    "evaluate embedding": Command(
        "evaluate_embedding", "EvaluateEmbeddingOptions", "true positive rates of re-identification"
    ),
    "verify": Command("verify", "VerifyOptions", "re-run a published table with given weights"),
    "convert": Command("convert", "ConvertOptions", "read any published checkpoint, write another"),
    "zoo": Command("zoo", "ZooOptions", "list named weights"),
    "zoo fetch": Command("zoo_fetch", "ZooFetchOptions", "download named weights"),
    "prepare": Command("prepare", "PrepareOptions", "bring a public data set into label files"),
    "doctor": Command("doctor", "DoctorOptions", "look over a data set before training on it"),
    "scenes": Command("scenes", "ScenesOptions", "draw labelled synthetic pedestrian scenes"),
    "cutouts": Command("cutouts", "CutoutsOptions", "cut people out to compose scenes with"),
    "export": Command("export", "ExportOptions", "write the network as ONNX or OpenVINO"),
    "benchmark": Command("benchmark", "BenchmarkOptions", "measure every stage on this machine"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run one command, print its result and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(overview())
        return 0
    try:
        if report := call(arguments):
            print(report)
    except (InputError, OSError) as error:
        print(f"jde: {describe(error)}", file=sys.stderr)
        return INPUT_ERROR
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        missing = MissingExtraError(error.name, EXTRAS[error.name], f"jde {arguments[0]}")
        print(f"jde: {missing}", file=sys.stderr)
        return INPUT_ERROR
    except KeyboardInterrupt:
        print("jde: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def call(arguments: Sequence[str]) -> str:
    """Parse the options of the command that `arguments` name and return what it reports."""
    import tyro  # noqa: PLC0415 (not needed for the overview)

    words = 2 if " ".join(arguments[:2]) in COMMANDS else 1
    name = " ".join(arguments[:words])
    if name not in COMMANDS:
        close = get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean 'jde {close[0]}'?" if close else "; see 'jde --help'"
        raise InputError(f"there is no command 'jde {name}'{hint}")
    command = COMMANDS[name]
    module = importlib.import_module(f"jde.commands.{command.module}")
    rest = list(arguments[words:])
    if hasattr(module, "parse_options"):  # A command whose options a file adds to.
        return str(module.run(module.parse_options(rest)))
    options = tyro.cli(getattr(module, command.options), prog=f"jde {name}", args=rest)
    return str(module.run(options))


def overview() -> str:
    """Return the text of `jde --help`."""
    width = max(map(len, COMMANDS))
    rows = [f"  jde {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "Multi-object tracking with one network that detects and embeds in a single shot.",
            "",
            *rows,
            "",
            "'jde COMMAND --help' explains the options. Start with: jde demo",
        ]
    )


def describe(error: Exception) -> str:
    """Return one line that names the file and the mend."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
