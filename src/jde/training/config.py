import re
from dataclasses import dataclass
from typing import Literal

DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu|npu)(:\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How weights are learned; the defaults are the authors' recipe.

    Attributes:
        epochs: Times that each picture is seen.
        batch_size: Pictures of one optimiser step, over all processes.
        accumulate: Parts that a step is split into where memory is short.
        optimiser: Momentum as published, or AdamW.
        learning_rate: At the end of the warm-up.
        momentum: Of `sgd`; the first beta of `adamw`.
        weight_decay: Pull of the weights towards zero.
        parameter_groups: `plain` decays everything, as the authors do; `paddle` spares
            normalisation and the biases of heads and classifier, whose bias learns twice as fast;
            `kernels` decays nothing but kernels.
        schedule: Tenfold drops at `milestones` as published, or half a cosine.
        milestones: Shares of the epochs after which the learning rate drops.
        warmup_steps: Steps in which the learning rate rises, at most one epoch.
        warmup_start: Where the rise begins: at 0 as published, where the first step moves nothing,
            or at 1 as in MindSpore.
        clip_gradients: Longest gradient over all parameters; 0 never clips.
        frozen_norm: Batch normalisation keeps its scale and shift, as published; its statistics
            move all the same.
        frozen_stages: Stages of the backbone, counted from the picture, that keep the weights and
            statistics they start with; 0 lets all learn.
        backbone_rate: Factor on the learning rate of the backbone; less than 1 spares a good start.
        balance_rate: Factor on the learning rate of the loss's learned weights: AdamW, whose steps
            don't grow with the gradient, needs more than 1 to balance the tasks in time.
        ema: Decay of the averaged weights that are evaluated and kept; 0 keeps the last ones.
        initialise: Weight file or name that the network starts from; of several, each overwrites
            what fits it.
        imprint: Batches at whose embeddings the identity classifier looks before it starts from
            their means, for networks that embed already; 0 starts it at random.
        precision: Of the network's arithmetic; losses are always computed in 32 bits. `fp16` needs
            a GPU or NPU.
        device: `auto` takes what is there; `cpu`, `cuda`, `mps`, `xpu` or `npu` ask for a kind,
            `cuda:1` for one card, counted from 0.
        channels_last: Memory order of pictures and feature maps; faster on most devices.
        compile: Let torch.compile build kernels; slow to start, faster afterwards.
        max_minutes: Stop cleanly, with final weights, after that time; 0 never stops early.
        checkpoint_minutes: Time between checkpoints; one is also written after each epoch.
        norm_statistics: Batch normalisation takes those of the pictures of each process, or of
            all processes, or keeps the ones that the network starts with.
        trackers: Boards that show the run besides its own log: `tensorboard`, `wandb`, `mlflow`.
        keep_checkpoints: Checkpoints kept besides the best weights.
        log_steps: Steps between two lines of the log; each epoch and the run end with one.
    """

    epochs: int = 30
    batch_size: int = 32
    accumulate: int = 1
    optimiser: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    parameter_groups: Literal["plain", "paddle", "kernels"] = "plain"
    schedule: Literal["steps", "cosine"] = "steps"
    milestones: tuple[float, ...] = (0.5, 0.75)
    warmup_steps: int = 1000
    warmup_start: Literal[0, 1] = 0
    clip_gradients: float = 0.0
    frozen_norm: bool = False
    frozen_stages: int = 0
    backbone_rate: float = 1.0
    balance_rate: float = 1.0
    ema: float = 0.0
    initialise: str | tuple[str, ...] = ""
    imprint: int = 0
    precision: Literal["no", "bf16", "fp16"] = "no"
    device: str = "auto"
    channels_last: bool = True
    compile: bool = False
    norm_statistics: Literal["process", "all", "fixed"] = "process"
    trackers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)
    max_minutes: float = 0.0
    checkpoint_minutes: float = 10.0
    keep_checkpoints: int = 2
    log_steps: int = 20

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "keep_checkpoints", "log_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be in [0, 1), got {self.ema}")
        if not DEVICE.fullmatch(self.device):
            raise ValueError(
                "device must be auto, cpu, cuda, mps, xpu or npu, or one card of several, such as "
                f"cuda:1, got {self.device!r}"
            )
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} can't be split into {self.accumulate} equal parts"
            )
