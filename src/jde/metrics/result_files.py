"""Which result file belongs to which ground truth."""

from pathlib import Path
from typing import NamedTuple

from jde.structures.errors import InputError

GROUND_TRUTH = Path("gt", "gt.txt")
"""Where a sequence folder keeps its ground truth."""

TRACKS = "tracks.txt"
"""Result file in a folder that `jde track` wrote."""


class ScoredSequence(NamedTuple):
    """A sequence to score: its name, the reported tracks and the true ones."""

    name: str
    results: Path
    truth: Path


def pair_files(results: Path, ground_truth: Path, pattern: str = "*") -> list[ScoredSequence]:
    """Return the sequences to score, by name.

    Args:
        results: A result file, or a folder that holds `NAME.txt` or `NAME/tracks.txt` for every
            sequence; for a single sequence also the folder that `jde track` wrote.
        ground_truth: A sequence folder, its `gt.txt`, or a folder of sequence folders.
        pattern: Which sequences of a folder of them to score, such as `*-SDP`.

    Raises:
        InputError: A file is missing, or a result file belongs to no sequence.
    """
    if not results.exists():
        raise InputError(f"{results}: there is no such result file or folder")
    truths = _find_truths(ground_truth, pattern)
    if results.is_file():
        return [_pair_single_file(results, truths, ground_truth)]
    is_single = not ground_truth.is_dir() or (ground_truth / GROUND_TRUTH).is_file()
    if is_single and (results / TRACKS).is_file():
        (name,) = truths
        return [ScoredSequence(name, results / TRACKS, truths[name])]
    reported = _find_results(results)
    missing = sorted(truths.keys() - reported.keys())
    if missing:
        raise InputError(
            f"{results}: has no result file for {', '.join(missing)}; "
            f"expected {results / (missing[0] + '.txt')}"
        )
    extra = sorted(reported.keys() - truths.keys())
    if extra:
        raise InputError(
            f"{reported[extra[0]]}: belongs to no sequence of {ground_truth}, which has "
            f"{', '.join(sorted(truths))}"
        )
    return [ScoredSequence(name, reported[name], truths[name]) for name in sorted(truths)]


def _find_truths(ground_truth: Path, pattern: str) -> dict[str, Path]:
    if ground_truth.is_file():
        folder = ground_truth.resolve().parent
        return {(folder.parent if folder.name == "gt" else folder).name: ground_truth}
    if (ground_truth / GROUND_TRUTH).is_file():
        return {ground_truth.resolve().name: ground_truth / GROUND_TRUTH}
    truths = {
        path.parents[1].name: path
        for path in sorted(ground_truth.glob(f"{pattern}/{GROUND_TRUTH}"))
    }
    if not truths:
        raise InputError(
            f"{ground_truth}: holds no ground truth; give a sequence folder with {GROUND_TRUTH}, "
            f"or a folder of such whose names match {pattern}"
        )
    return truths


def _find_results(folder: Path) -> dict[str, Path]:
    files = {path.stem: path for path in sorted(folder.glob("*.txt"))}
    return files | {path.parent.name: path for path in sorted(folder.glob(f"*/{TRACKS}"))}


def _pair_single_file(results: Path, truths: dict[str, Path], ground_truth: Path) -> ScoredSequence:
    if len(truths) > 1:
        raise InputError(
            f"{ground_truth}: holds {len(truths)} sequences where {results} is the result of one; "
            "give one sequence folder, or a folder of results"
        )
    ((name, truth),) = truths.items()
    return ScoredSequence(name, results, truth)
