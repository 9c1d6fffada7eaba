"""From a name or a file to a detector. Exported files need no torch."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from jde.engines.exported_file import open_export, recognise_export
from jde.engines.graph_detector import GraphDetector
from jde.engines.graph_engine import GraphEngine
from jde.engines.graph_runtime import GraphRuntime
from jde.engines.parallelism import Parallelism, Streams
from jde.model.config import ModelConfig
from jde.model.detector import Detector
from jde.model.head_maps import Engine
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.letterbox import Size
from jde.weights.input_shape import InputWish

ENGINES = (
    "auto",
    "torch",
    "torch-compiled",
    "onnx",
    "openvino",
    "aotinductor",
    "mindir",
    "tensorrt",
)
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
PROFILES = ("jde", "zhongdao", "paddle", "mindspore")


def load_detector(  # noqa: PLR0913 (the public call: what runs, where, and from which score on)
    weights: str | Path,
    *,
    device: str = "auto",
    engine: str = "auto",
    size: Size | None = None,
    min_score: float = 0.5,
    max_overlap: float = 0.4,
    profile: str | None = None,
    precision: str = "auto",
    threads: int | None = None,
    streams: Streams = 1,
    shape: str = "auto",
) -> Detector | GraphDetector:
    """Return a detector with weights of a zoo name or of a file, or with an exported model.

    Args:
        weights: A name that `jde zoo` lists, a weight file of any known format, or a file that
            `jde export` wrote; recognised by its content.
        device: Where to run, such as `cpu` or `cuda:0`; `auto` takes a GPU where there is one.
        engine: `auto` is what an exported file was written for; of weights, OpenVINO where it is
            installed and there is no GPU, else `torch`. `torch-compiled` takes a minute to start.
        size: Width and height of the input; needed where neither file nor name says it.
        min_score: Score that detections must exceed.
        max_overlap: Overlap beyond which the lower of two boxes goes; not of finished detections.
        profile: Program whose post-processing to follow: `jde`, `zhongdao`, `paddle` or
            `mindspore`; the one that trained the weights where not given.
        precision: Of the arithmetic: `float32`, `bfloat16` or `float16`. `auto` is float32 in
            PyTorch, what the processor is fastest at in OpenVINO, else as the file was written.
        threads: Of the network, on a processor; all cores where not given.
        streams: Calls of the detector served side by side by OpenVINO or ONNX Runtime, the threads
            shared out among them, same results: 1 is quickest for one picture, `auto` (as many as
            threads, 4 at most; 1 in other engines) for many.
        shape: `fixed` brings pictures to exactly that size. `fitted` gives the input the shape of
            each picture and about as many pixels: people are larger for the same work. `auto` is
            fixed at a given size, else what the weights say, if an exported file takes any size.

    Raises:
        InputError: There is no such name, or the file can't be used; the message says why.
    """
    check_names(engine, precision, profile)
    wish, cores = InputWish(size, shape), Parallelism(threads, streams)
    runs, config = open_engine(
        weights, engine=engine, device=device, precision=precision, wish=wish, parallelism=cores
    )
    ours = PostProcessing.for_source(profile or config.source)
    settings = replace(ours, min_score=min_score, max_overlap=max_overlap)
    if isinstance(runs, GraphRuntime):
        return GraphDetector(runs, settings)
    return Detector(runs, config, settings)


def open_engine(
    weights: str | Path,
    *,
    engine: str,
    device: str,
    precision: str,
    wish: InputWish,
    parallelism: Parallelism,
) -> tuple[Engine | GraphRuntime, ModelConfig]:
    """Return what runs the network of a name or file, and the network's configuration as it runs.

    Raises:
        InputError: There is no such name, or the file can't be used; the message says why.
        MissingExtraError: A package that it needs isn't installed.
    """
    path = Path(weights)
    if recognise_export(path):
        runtime = open_export(
            path,
            engine=engine,
            device=device,
            precision=precision,
            size=wish.size,
            parallelism=parallelism,
        )
        wish.check(runtime, str(weights))
        config = wish.applied_to(runtime.card.config)
        is_finished = runtime.card.outputs == "detections"
        return (runtime if is_finished else GraphEngine(runtime)), config
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "torch", f"running {weights}, which is no exported file,")
    from jde.weights.running import load_whole_network, make_engine  # noqa: PLC0415 (needs torch)

    network = load_whole_network(str(weights), size=wish.size, shape=wish.shape)
    made = make_engine(
        network, engine=engine, device=device, precision=precision, parallelism=parallelism
    )
    return made, network.config


def check_names(engine: str, precision: str, profile: str | None) -> None:
    """Refuse unknown names.

    Raises:
        InputError: The message lists the known ones.
    """
    check_choice("engine", engine, ENGINES)
    check_choice("precision", precision, PRECISIONS)
    if profile is not None:
        check_choice("profile", profile, PROFILES)


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a value that isn't among the known ones.

    Raises:
        InputError: The message lists them.
    """
    if value not in known:
        raise InputError(f"{name} must be one of {', '.join(known)}, got {value!r}")
