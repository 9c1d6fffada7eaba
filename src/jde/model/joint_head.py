from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from jde.model.pyramid import LevelFeatures

ANCHORS_PER_LEVEL = 4
BOX_NUMBERS = 4
BACKGROUND = BOX_NUMBERS
"""Place of the background's logit among the numbers of an anchor; the classes follow."""


class LevelOutput(NamedTuple):
    """The head maps of one level; a tuple of tensors, so that it survives `torch.export`."""

    box_deltas: Float[Tensor, "n anchors 4 h w"]
    """dx, dy, dw, dh against the anchor."""
    objectness: Float[Tensor, "n anchors kinds h w"]
    """Logits of background and of each class: of a person alone in published networks."""
    embeddings: Float[Tensor, "n dim h w"]
    """Appearance, not normalised, shared by the anchors of a cell."""


class JointHead(nn.Module):
    """Reads boxes, objectness and appearance from the features of one level.

    Args:
        channels: Channels of the route; the tip has twice as many.
        embedding_dim: Numbers in an embedding.
        classes: How many classes it tells apart.
        appearance: Channels of the backbone's map, where the embedding is read from it: a point of
            the map at a time. Else it is read from 3x3 cells of the route.
    """

    def __init__(
        self, channels: int, embedding_dim: int, classes: int = 1, appearance: int = 0
    ) -> None:
        super().__init__()
        self.numbers = numbers_per_anchor(classes)
        self.detection = nn.Conv2d(2 * channels, ANCHORS_PER_LEVEL * self.numbers, 1)
        self.embedding = (
            nn.Conv2d(appearance, embedding_dim, 1)
            if appearance
            else nn.Conv2d(channels, embedding_dim, 3, padding=1)
        )

    def forward(self, features: LevelFeatures) -> LevelOutput:
        """Return the head maps."""
        box_deltas, objectness = self.detect(features.tip)
        return LevelOutput(box_deltas, objectness, self.embedding(features.route))

    def detect(
        self, tip: Float[Tensor, "n c h w"]
    ) -> tuple[Float[Tensor, "n a 4 h w"], Float[Tensor, "n a k h w"]]:
        """Return box deltas and objectness alone."""
        maps = self.detection(tip).unflatten(1, (ANCHORS_PER_LEVEL, self.numbers))
        return maps[:, :, :BOX_NUMBERS], maps[:, :, BOX_NUMBERS:]


def numbers_per_anchor(classes: int) -> int:
    """Return how many numbers the head gives for an anchor: box, background and classes."""
    return BOX_NUMBERS + 1 + classes
