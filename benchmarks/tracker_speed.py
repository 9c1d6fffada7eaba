"""Processor time of one tracker step against the published way of doing it.

    python benchmarks/tracker_speed.py

The published way is the literal rewrite that the parity tests use, in
`tests/published_association.py`: an object for each track, a Cholesky factor for each, `cdist` over
all pairs, Python lists. A direct SciPy call replaces its extended assignment matrix, so that it is
no slower than its programs are. Both get the same detections in turn, frame by frame, and must give
the same identities. Times are processor time of the thread: other work disturbs them less. BLAS is
held to one thread: the published way makes hundreds of tiny calls that would wait for a second.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from jde.benchmarking.simulated_crowd import SimulatedCrowd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker
from published_association import ZHONGDAO, PublishedTracker

WARM_UP_FRAMES = 10


def direct_assignment(cost: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Return the same pairs as the extended matrix, from the matrix of gains."""
    gain = np.minimum(cost - limit, 0)
    pairs = zip(*linear_sum_assignment(gain), strict=True)
    return [(int(i), int(j)) for i, j in pairs if gain[i, j] < 0]


def compare(people: int, frames: int) -> tuple[float, float]:
    """Return the median milliseconds of the published step and of ours."""
    crowd = SimulatedCrowd(people, seed=people)
    published = PublishedTracker(ZHONGDAO, 30, direct_assignment)
    tracker = Tracker(TrackerConfig.zhongdao(), frame_rate=30.0)
    times = np.zeros((frames, 2))
    for frame in range(frames):
        detections = crowd.next_frame()
        start = time.thread_time()
        expected = published.update(detections.boxes, detections.scores, detections.embeddings)
        middle = time.thread_time()
        tracks = tracker.update(detections)
        times[frame] = middle - start, time.thread_time() - middle
        if tracks.ids.tolist() != [track.identity for track in expected]:
            sys.exit(f"identities differ in frame {frame + 1} with {people} people")
    theirs, ours = 1e3 * np.median(times[WARM_UP_FRAMES:], axis=0)
    return float(theirs), float(ours)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[50, 200, 500])
    parser.add_argument("--frames", type=int, default=80)
    options = parser.parse_args()
    print("people   published   ours [ms]   ratio   (512-d embeddings, same identities)")
    for people in options.people:
        with threadpool_limits(1, "blas"):
            theirs, ours = compare(people, options.frames)
        print(f"{people:6d}   {theirs:9.2f}   {ours:9.2f}   {theirs / ours:4.1f}x")


if __name__ == "__main__":
    main()
