"""One network on every engine, 8 bits included: what the network alone costs.

    python benchmarks/engines.py
    python benchmarks/engines.py --preset darknet53 --engines torch openvino:int8 --rounds 5

One picture at a time, one thread. All engines run in turn, and the processor's time counts, so that
other programs disturb little. Times are of the network: pictures in, head maps out.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from jde.benchmarking.contestants import Wish
from jde.benchmarking.machine import describe_machine
from jde.benchmarking.random_network import random_network
from jde.benchmarking.timing import measure_in_turn
from jde.benchmarking.weights_engines import start
from jde.model.presets import darknet53
from jde.weights.networks import load_network

ENGINES = (
    "torch",
    "torch:bfloat16",
    "onnx",
    "openvino:float32",
    "openvino:bfloat16",
    "onnx:int8",
    "openvino:int8",
)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="jde-nano")
    parser.add_argument("--preset", choices=["darknet53"], help="random weights instead")
    parser.add_argument("--size", type=int, nargs=2, default=(576, 320))
    parser.add_argument("--engines", nargs="+", default=ENGINES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


def main() -> None:
    """Measure and print the table; the first engine is what the others are compared with."""
    options = arguments()
    size = (options.size[0], options.size[1])
    network = (
        random_network(darknet53(size))
        if options.preset
        else load_network(options.weights, size=size)
    )
    picture = np.random.default_rng(0).integers(0, 256, (1, size[1], size[0], 3), np.uint8)
    wish = Wish(threads=options.threads, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        engines = {name: start(network, name, wish, Path(folder)) for name in options.engines}
        times = measure_in_turn(
            {name: partial(engine, picture) for name, engine in engines.items()},
            rounds=options.rounds,
        )
    machine = describe_machine()
    print(f"{options.preset or options.weights} {size[0]}x{size[1]}, {options.threads} threads")
    print(f"{machine['processor']}, {' '.join(machine['instructions'])}; {machine['versions']}")
    print("| engine | processor, ms | wall, ms (10 to 90 %) | times as fast by processor |")
    print("|---|---|---|---|")
    base = next(iter(times.values())).processor
    for name, timing in times.items():
        print(
            f"| {name} | {timing.processor:.1f} | {timing.median:.1f} ({timing.p10:.1f} to "
            f"{timing.p90:.1f}) | {base / timing.processor:.2f} |"
        )


if __name__ == "__main__":
    main()
