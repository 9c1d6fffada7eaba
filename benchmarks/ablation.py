"""What an option gains: trains one configuration several times over and scores each on new places.

    JDE_DATA=data OMP_NUM_THREADS=1 python benchmarks/ablation.py benchmarks/ablation.yaml \
        --variant giou loss.box=giou --variant "mosaic, half" data.mosaic=0.5 --seeds 0 1

Each `--variant` is a name and the keys that it changes; the file as it stands comes first, as
`base`. All start from the same weights and random numbers. The sequences under `evaluation` are
scored one by one: AP of the first class in the published detection test, the true positive rate of
embeddings at true boxes at 10 % false accepts, MOTA and IDF1. With several seeds a row holds the
mean over them, and the row ± below it half the distance from the lowest to the highest: a gain of
that size is none.
What is in the JSON of the output folder already isn't trained again, and a run that was stopped
goes on.
"""

import argparse
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import yaml

from jde.commands.train import train
from jde.config import RunConfig, load_config
from jde.metrics.score_table import render_table
from jde.structures.errors import InputError
from jde.training.evaluation_config import EvaluationConfig
from jde.training.judge import Judge
from jde.weights.networks import load_network

logger = logging.getLogger("ablation")

Row = dict[str, Any]
SHOWN = ("AP", "TPR@FAR0.1", "MOTA", "IDF1")
BASE = "base"


def train_and_score(config: RunConfig) -> Row:
    """Train as `config` says, leave its scores for later and return them with the cost."""
    start = time.process_time()
    unscored = replace(config, evaluation=EvaluationConfig(every=0))
    facts = config.output / "run.json"
    if facts.exists() and json.loads(facts.read_text())["config"] != plain(unscored):
        raise InputError(f"{config.output}: holds another run; choose another --output")
    outcome = train(unscored, resume=True)
    seconds = time.process_time() - start
    if outcome.weights is None:
        raise KeyboardInterrupt
    scores = {place: score(config, outcome.weights, place) for place in config.evaluation.sequences}
    return {"steps": outcome.position.total, "CPU seconds": seconds, "scores": scores}


def score(config: RunConfig, weights: Path, place: str) -> dict[str, float]:
    """Return the scores of trained weights on one sequence."""
    evaluation = EvaluationConfig(sequences=(place,), pictures=(place,))
    size = config.model.resolve().input_size
    network = load_network(str(weights))
    names = config.model.resolve().classes
    judge = Judge.open(evaluation, config.tracker, size, "cpu", classes=len(names))
    scores = judge.score(network)
    return scores | {"AP": scores.get(f"AP {names[0]}", scores["AP"])}


def tables(rows: Sequence[Row]) -> str:
    """Return one table for each sequence."""
    texts = []
    for place in rows[0]["scores"]:
        lines: dict[str, dict[str, int | float]] = {}
        for name in dict.fromkeys(row["variant"] for row in rows):
            mine = [row for row in rows if row["variant"] == name]
            found = {key: [row["scores"][place][key] for row in mine] for key in SHOWN}
            lines[name] = {
                "steps": mine[0]["steps"],
                "CPU s": round(mean(row["CPU seconds"] for row in mine)),
                **{key: mean(values) for key, values in found.items()},
            }
            if len(mine) > 1:
                spread = {key: (max(values) - min(values)) / 2 for key, values in found.items()}
                lines[f"{name} ±"] = {**lines[name], **spread}
        texts.append(f"{Path(place).name}\n{render_table(lines)}")
    return "\n\n".join(texts)


def read_variants(given: Sequence[Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Return the keys that each variant changes, by its name."""
    variants: dict[str, dict[str, Any]] = {BASE: {}}
    for name, *changes in given:
        pairs = [change.partition("=") for change in changes]
        variants[name] = {key: yaml.safe_load(value) for key, _, value in pairs}
    return variants


def check(path: Path, variants: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a wrong key or a configuration that scores nothing before any time is spent."""
    for changes in variants.values():
        if not load_config(path, changes).evaluation.sequences:
            raise InputError(f"{path}: evaluation.sequences must name the sequences to score on")


def find_row(done: Sequence[Row], name: str, seed: int, config: RunConfig) -> Row | None:
    """Return the row of a run that was done before; None where there is none."""
    wanted = (name, seed, plain(config))
    found = [row for row in done if (row["variant"], row["seed"], row["config"]) == wanted]
    return found[0] if found else None


def plain(config: RunConfig) -> Any:
    """Return a configuration as JSON holds it."""
    return json.loads(json.dumps(asdict(config), default=str))


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="configuration that all variants start from")
    parser.add_argument(
        "--variant",
        action="append",
        nargs="+",
        default=[],
        metavar=("NAME", "KEY=VALUE"),
        help="a name and what it changes; may be given many times",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one run for each")
    parser.add_argument(
        "--output", type=Path, default=Path("runs/ablation"), help="folder of the runs and the JSON"
    )
    return parser.parse_args()


def main() -> None:
    """Train, score, print and write."""
    options = arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    variants = read_variants(options.variant)
    check(options.config, variants)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "ablation.json"
    done = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    rows: list[Row] = []
    for seed in options.seeds:
        for name, changes in variants.items():
            output = str(options.output / f"{name}-{seed}")
            fixed = {"seed": seed, "output": output, "data.workers": 0}
            config = load_config(options.config, {**changes, **fixed})
            row = find_row(done, name, seed, config)
            if row is None:
                logger.info("%s, seed %d", name, seed)
                row = {"variant": name, "seed": seed, "config": plain(config)}
                row |= train_and_score(config)
                done.append(row)
                path.write_text(json.dumps(done, indent=2) + "\n", encoding="utf-8")
            rows.append(row)
    print(tables(rows))


if __name__ == "__main__":
    main()
