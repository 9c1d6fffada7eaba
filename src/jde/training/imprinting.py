"""An identity classifier that starts from what the embedding knows already."""

import itertools
import logging
from collections.abc import Iterator

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from jaxtyping import Float32, Int64
from torch import Tensor

from jde.data.batch import Batch
from jde.losses.criterion import JDECriterion
from jde.losses.parts import identity_cells
from jde.model.joint_head import LevelOutput
from jde.training.feed import Feed
from jde.training.task import TrainingTask

logger = logging.getLogger(__name__)


@torch.no_grad()
def imprint(task: TrainingTask, feed: Feed, batches: int) -> int:
    """Set the classifier's row of each identity to its mean embedding; return how many were set.

    Qi et al., "Low-Shot Learning with Imprinted Weights" (arXiv 1712.07136): a network that embeds
    well goes on without first unlearning that for a random classifier. Identities that the batches
    don't show keep their random rows.

    Args:
        task: Network and criterion, on the device where they train; the classifier is changed.
        feed: Batches of the first epoch.
        batches: How many of them to look at.
    """
    criterion, device = task.criterion, task.criterion.classifier.weight.device
    sums = torch.zeros_like(criterion.classifier.weight)
    was_training = task.training
    task.eval()
    for batch in itertools.islice(feed.epoch(0), batches):
        moved = batch.to(device)
        outputs = task.network(task.to_unit(moved.images))
        for embeddings, identities in known_embeddings(criterion, outputs, moved):
            sums.index_add_(0, identities, embeddings)
    task.train(was_training)
    seen = sums.norm(dim=1) > 0
    criterion.classifier.weight[seen] = F.normalize(sums[seen], dim=1)
    criterion.classifier.bias.zero_()
    count = int(seen.sum())
    logger.info("%d of %d identities start from their mean embedding", count, len(seen))
    return count


def known_embeddings(
    criterion: JDECriterion, outputs: list[LevelOutput], batch: Batch
) -> Iterator[tuple[Float32[Tensor, "k d"], Int64[Tensor, " k"]]]:
    """Yield the unit embeddings of each level that teach an identity, and these identities."""
    targets = criterion.assign(outputs, batch)
    for output, target in zip(outputs, targets, strict=True):
        (picture, row, column), identities, _ = identity_cells(target, criterion.config.max_cells)
        found = F.normalize(output.embeddings[picture, :, row, column].float(), dim=1)
        known = identities >= 0
        yield found[known], identities[known]
