"""The configurations of the published trainings say what was published (section 12)."""

from pathlib import Path

import pytest

from jde.config import load_config
from jde.data.prepare.catalogue import PUBLIC_SETS
from jde.losses.config import LossConfig
from jde.model.config import STRIDES
from jde.model.presets import darknet53
from jde.training.schedule import learning_rate
from jde.training.task import keep_fitted_embedding
from jde.weights.networks import load_network

CONFIGS = Path(__file__).parents[2] / "configs"
SIZES = {"1088x608": (1088, 608), "864x480": (864, 480), "576x320": (576, 320)}
LOSSES = {
    "zhongdao": LossConfig.zhongdao(),
    "paddle": LossConfig.paddle(),
    "mindspore": LossConfig.mindspore(),
}
PUBLISHED = [(size, program) for size in SIZES for program in ("zhongdao", "paddle")]
PUBLISHED.append(("1088x608", "mindspore"))
STEPS = 53_517 // 32
JOINT = ["mot17", "caltech", "citypersons", "cuhksysu", "prw", "eth"]


def lists(name: str) -> list[str]:
    sources = load_config(CONFIGS / f"{name}.yaml").data.sources
    return [Path(one.path).name for one in sources]


@pytest.mark.parametrize(("size", "program"), PUBLISHED)
def test_network_loss_and_optimiser_are_those_of_the_program(size: str, program: str) -> None:
    config = load_config(CONFIGS / f"jde-darknet53-{size}-{program}.yaml")
    assert config.model.resolve() == darknet53(SIZES[size], source=program)
    assert config.loss == LOSSES[program]
    recipe = config.training
    assert (recipe.optimiser, recipe.momentum, recipe.weight_decay) == ("sgd", 0.9, 1e-4)
    assert (recipe.batch_size, recipe.learning_rate, recipe.frozen_norm) == (32, 0.01, True)
    assert recipe.parameter_groups == ("paddle" if program == "paddle" else "plain")
    assert config.data.augmentation.keep_people is (program == "paddle")
    assert not config.data.augmentation.single_warp
    assert config.output.name == f"jde-darknet53-{size}-{program}"


@pytest.mark.parametrize("program", LOSSES)
def test_learning_rate_at_the_published_steps(program: str) -> None:
    recipe = load_config(CONFIGS / f"jde-darknet53-1088x608-{program}.yaml").training
    ahead, epochs = (1, 40) if program == "mindspore" else (0, 30)
    assert recipe.epochs == epochs
    rates = [learning_rate(recipe, step, STEPS) for step in (0, 499, 998, 1000)]
    warm = [0.01 * ((step + ahead) / 1000) ** 4 for step in (0, 499, 998)]
    assert rates == pytest.approx([*warm, 0.01])
    first, second = (20, 30) if program == "mindspore" else (15, 22)
    drops = [
        learning_rate(recipe, epoch * STEPS + shift, STEPS)
        for epoch in (first, second)
        for shift in (-1, 0)
    ]
    assert drops == pytest.approx([1e-2, 1e-3, 1e-3, 1e-4])


@pytest.mark.parametrize("size", SIZES)
def test_ours_is_the_authors_recipe_with_its_faults_repaired(size: str) -> None:
    ours, theirs = (
        load_config(CONFIGS / f"jde-darknet53-{size}{end}.yaml") for end in ("", "-zhongdao")
    )
    assert (ours.training, ours.model) == (theirs.training, theirs.model)
    assert ours.data.sources == theirs.data.sources
    assert ours.loss == LossConfig()
    assert ours.data.augmentation.single_warp


def test_fine_tuning_starts_from_a_network_like_the_shipped_one_and_keeps_its_embedding() -> None:
    config = load_config(CONFIGS / "fine-tune.yaml", {"data.sources": [{"path": "mine.train"}]})
    assert config.training.initialise == "jde-nano"
    shipped = load_network("jde-nano")
    assert config.model.resolve() == shipped.config
    assert config.tracker.min_score == shipped.config.start_score
    keep_fitted_embedding(shipped)
    held = {name for name, one in shipped.named_parameters() if not one.requires_grad}
    finest = f"heads.{len(STRIDES) - 1}.embedding"
    assert held == {f"{finest}.weight", f"{finest}.bias"}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("jde-darknet53-*.yaml")), ids=lambda p: p.stem)
def test_lists_are_those_that_prepare_writes(path: Path) -> None:
    written = {
        f"{public.list_name}.{part}" for public in PUBLIC_SETS.values() for part in public.published
    }
    assert set(lists(path.stem)) <= written


def test_the_joint_set_is_the_published_one_in_its_order() -> None:
    assert lists("jde-darknet53-1088x608-zhongdao") == [f"{name}.train" for name in JOINT]
    assert lists("jde-darknet53-1088x608-mindspore") == [f"{name}.train" for name in JOINT]
    assert lists("jde-darknet53-1088x608-paddle") == [
        "mot17.train",
        "caltech.train",
        "caltech.val",
        "cuhksysu.train",
        "prw.train",
        "citypersons.train",
        "eth.train",
    ]
    totals = {public.list_name: public.published.get("train") for public in PUBLIC_SETS.values()}
    assert sum(totals[name] or 0 for name in JOINT) == 53_517
