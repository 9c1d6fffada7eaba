"""Scores of the published Lif_T results against what other evaluators say about them."""

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.real_data import DATA, needs_data

EVALUATION = DATA / "evaluation"
OFFICIAL_NAMES = {"CLR_TP": "TP", "CLR_FN": "FN", "CLR_FP": "FP", "IDSW": "IDs", "Frag": "FM"}
SHARES = frozenset(
    ["HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR", "recall", "precision"]
)

MOTMETRICS = """
sequence,IDF1,IDP,IDR,recall,precision,GT,MT,PT,ML,FP,FN,IDs,FM,MOTA,MOTP,IDt,IDa,IDm
MOT17-02-FRCNN,0.5693435957,0.8748186991,0.4219902050,0.4775846295,0.9900702890,62,14,26,22,89,9707,26,40,0.4713955115,0.0792279492,12,18,4
MOT17-04-FRCNN,0.7410171019,0.9157409413,0.6222848371,0.6774817587,0.9969675403,83,39,23,21,98,15338,29,14,0.6748112791,0.0950323944,5,25,1
MOT17-05-FRCNN,0.6890547264,0.8937543213,0.5606476796,0.6167413619,0.9831758470,133,37,60,36,73,2651,29,64,0.6019950846,0.1331376316,43,12,28
MOT17-10-FRCNN,0.7615963592,0.8690702087,0.6777786432,0.7588597243,0.9730350544,57,33,22,2,270,3096,72,148,0.7322221357,0.1375608943,31,29,6
MOT17-11-FRCNN,0.7876256205,0.9185258402,0.6893810937,0.7418397626,0.9884213499,75,32,25,18,82,2436,17,26,0.7313480288,0.0728557166,3,13,2
MOT17-13-FRCNN,0.7580713981,0.8459422283,0.6867376739,0.7943652293,0.9785207915,110,68,31,11,203,2394,73,96,0.7706579625,0.1239621337,62,32,29
OVERALL,0.7202867079,0.8939929329,0.6031017463,0.6669969712,0.9887064366,520,223,187,110,815,35622,246,388,0.6570784878,0.1027264232,156,129,70
"""
"""What py-motmetrics 1.4.0 says with the preprocessing of the published JDE programs."""

OFFICIAL_COMBINED = {
    "HOTA": "0.6315383496",
    "DetA": "0.5924352697",
    "AssA": "0.6745994065",
    "LocA": "0.9090401860",
    "MOTA": "0.6577702576",
    "MOTP": "0.8973993096",
    "IDF1": "0.7208508169",
    "IDP": "0.8941088533",
    "IDR": "0.6038402573",
    "TP": "71428",
    "FN": "35544",
    "FP": "816",
    "IDs": "249",
    "MT": "221",
    "PT": "190",
    "ML": "109",
    "FM": "363",
    "IDTP": "64594",
    "IDFN": "42378",
    "IDFP": "7650",
}
"""What TrackEval 1.3.0 says about the six sequences together."""


Figures = dict[str, dict[str, float]]


@cache
def figures(protocol: str) -> Figures:
    """What the command writes, run as users run it: without the run-time checks of the tests."""
    with TemporaryDirectory() as folder:
        scores = Path(folder) / "scores.json"
        folders = [str(EVALUATION / "results"), str(EVALUATION / "ground-truth")]
        options = ["--json", str(scores), "--protocol", protocol]
        command = [sys.executable, "-m", "jde", "evaluate", "tracking", *folders, *options]
        subprocess.run(command, check=True, capture_output=True)
        content = json.loads(scores.read_text())
    return content["sequences"] | {"OVERALL": content["overall"]}


def assert_equal(found: float, expected: str, name: str) -> None:
    tolerance = 1e-9 if name in SHARES else 0
    assert found == pytest.approx(float(expected), abs=tolerance, rel=0), name


@needs_data
def test_every_figure_of_the_official_evaluator() -> None:
    found = figures("mot")
    with (EVALUATION / "expected.csv").open() as file:
        expected = list(csv.DictReader(file))
    assert {row["sequence"] for row in expected} == found.keys() - {"OVERALL"}
    for row in expected:
        for column, value in row.items():
            if column != "sequence":
                name = OFFICIAL_NAMES.get(column, column)
                assert_equal(found[row["sequence"]][name], value, name)


@needs_data
def test_sequences_combine_as_in_the_official_evaluator() -> None:
    overall = figures("mot")["OVERALL"]
    for name, value in OFFICIAL_COMBINED.items():
        assert_equal(overall[name], value, name)


@needs_data
def test_every_figure_of_py_motmetrics() -> None:
    found = figures("zhongdao")
    expected = list(csv.DictReader(MOTMETRICS.strip().splitlines()))
    assert {row["sequence"] for row in expected} == found.keys()
    for row in expected:
        for name, value in row.items():
            if name != "sequence":
                assert_equal(found[row["sequence"]][name], value, name)
