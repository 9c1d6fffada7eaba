from jaxtyping import Float
from torch import Tensor, nn

from jde.model.config import ModelConfig, check_input_size
from jde.model.joint_head import JointHead, LevelOutput
from jde.model.pyramid import FeaturePyramid, LevelFeatures


class JDENet(nn.Module):
    """One network that detects people and embeds their appearance.

    Attributes:
        config: What it was built from.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        backbone: nn.Module,
        pyramid: FeaturePyramid,
        heads: nn.ModuleList,
    ) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone
        self.pyramid = pyramid
        self.heads = heads

    def forward(self, images: Float[Tensor, "n 3 height width"]) -> list[LevelOutput]:
        """Return the head maps at strides 32, 16 and 8.

        Args:
            images: RGB pictures in [0, 1]; sides are multiples of 32.
        """
        return [
            head(features) for head, features in zip(self.heads, self.features(images), strict=True)
        ]

    def features(self, images: Float[Tensor, "n 3 height width"]) -> list[LevelFeatures]:
        """Return what the heads read, for engines that embed the cells of people only."""
        check_input_size((int(images.shape[3]), int(images.shape[2])))
        return self.read(images)

    def read(self, images: Float[Tensor, "n 3 height width"]) -> list[LevelFeatures]:
        """Return the features of pictures whose size is known to be good."""
        maps = self.backbone(images)
        levels: list[LevelFeatures] = self.pyramid(maps)
        if self.config.appearance_points:
            # The neck keeps where somebody is and loses what the clothes look like.
            levels[-1] = levels[-1]._replace(route=maps[0])
        return levels


def head(network: JDENet, level: int) -> JointHead:
    """Return the head of one level, typed."""
    module = network.heads[level]
    assert isinstance(module, JointHead)
    return module
