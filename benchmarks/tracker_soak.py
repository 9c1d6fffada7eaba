"""Memory of a tracker over many frames: the process must not grow.

    python benchmarks/tracker_soak.py --frames 20000 --people 50

Prints the resident memory along the way. The detections (512-d embeddings, misses, false alarms,
people who leave for good) are made while it runs, so that nothing but the tracker could grow.
"""

import argparse
import time

import numpy as np

from jde.benchmarking.machine import resident_mebibytes
from jde.benchmarking.simulated_crowd import SimulatedCrowd
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker

CONFIGS = {
    "default": TrackerConfig,
    "zhongdao": TrackerConfig.zhongdao,
    "paddle": TrackerConfig.paddle,
}
WARM_UP_FRAMES = 500


def main() -> None:
    """Run the soak and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--config", choices=CONFIGS, default="default")
    options = parser.parse_args()

    crowd = SimulatedCrowd(options.people, seed=0, turnover=0.01)
    tracker = Tracker(CONFIGS[options.config](), frame_rate=30.0)
    marks = {WARM_UP_FRAMES, *np.linspace(0, options.frames, 11).astype(int).tolist()}
    memory: dict[int, float] = {}
    seconds, newest = 0.0, 0
    for frame in range(1, options.frames + 1):
        detections = crowd.next_frame()
        started = time.process_time()
        tracks = tracker.update(detections)
        seconds += time.process_time() - started
        newest = max(newest, int(tracks.ids.max(initial=0)))
        if frame in marks:
            memory[frame] = resident_mebibytes() or 0.0
            print(f"frame {frame:6d}  {memory[frame]:7.1f} MiB  newest identity {newest}")
    growth = memory[options.frames] - memory[WARM_UP_FRAMES]
    print(f"growth after frame {WARM_UP_FRAMES}: {growth:+.2f} MiB", end="; ")
    print(f"{1e3 * seconds / options.frames:.2f} ms of processor time a frame")


if __name__ == "__main__":
    main()
