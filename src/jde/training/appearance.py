"""An embedding fitted to a trained detector: nothing that finds people changes."""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from jde.data.batch import Batch
from jde.data.sample import UNKNOWN_IDENTITY
from jde.model.box_points import FINEST, point_cells
from jde.model.builders import build_network
from jde.model.network import JDENet, head
from jde.structures.errors import InputError
from jde.tracking.config import TrackerConfig
from jde.training.discriminants import Projection, fit_discriminants
from jde.training.feed import Feed
from jde.training.task import WHITE

logger = logging.getLogger(__name__)

SPHERE_DISTANCE = 1.2
"""Up to which distance unit discriminants are taken for the same person's: of 0.7 to 1.3 the middle
of what two folds chose for two networks (`benchmarks/calibrate_tracker.py`)."""

LOG_BATCHES = 20
"""Batches from one line of progress to the next."""


def fit_appearance(network: JDENet, feed: Feed, *, points: int, batches: int) -> JDENet:
    """Return the network with an embedding that is read at points of boxes.

    The backbone's finest map is read at `points` places down the middle of each person, and at each
    of them linear discriminants give an equal part of the embedding.

    Args:
        network: A trained network; it isn't changed.
        feed: Pictures with people of known identity.
        points: How many; they have to divide the length of the embedding.
        batches: How many batches of `feed` to look at.

    Raises:
        InputError: The embedding can't be split into so many parts, or too few people are seen.
    """
    config = replace(network.config, appearance_points=points)
    features, identities = read_people(network, feed, points=points, batches=batches)
    part = config.embedding_dim // points
    if part > features.shape[2]:
        raise InputError(
            f"a point gives {features.shape[2]} numbers, fewer than {part}: take more points"
        )
    fitted = build_network(config).eval()
    tensors = fitted.state_dict()
    for name, tensor in network.state_dict().items():
        if tensors[name].shape == tensor.shape:
            tensors[name].copy_(tensor)
    found = [fit_discriminants(features[:, point], identities, part) for point in range(points)]
    kernel, bias = bring_near(join(found), features)
    embedding = head(fitted, FINEST).embedding
    assert embedding.bias is not None
    with torch.no_grad():
        embedding.weight.copy_(torch.from_numpy(kernel[:, :, None, None]))
        embedding.bias.copy_(torch.from_numpy(bias))
    logger.info(
        "%d views of %d people: %d numbers at each of %d points",
        len(identities),
        len(np.unique(identities)),
        part,
        points,
    )
    return fitted


def join(parts: Sequence[Projection]) -> Projection:
    """Return the projections of all points, one below the other."""
    return Projection(
        np.concatenate([one.kernel for one in parts]), np.concatenate([one.bias for one in parts])
    )


def bring_near(
    projection: Projection, features: Float64[np.ndarray, "n points channels"]
) -> Projection:
    """Return a projection whose unit embeddings lie as near together as trackers expect.

    Discriminants spread embeddings over the whole sphere. One number that is the same for everybody
    brings them into a cap of it; it takes the place of the direction that says least.

    Args:
        projection: Of all points, an equal part for each.
        features: What is read of people.
    """
    points = features.shape[1]
    kernels = projection.kernel.reshape(points, -1, features.shape[2])
    looks = np.einsum("pdc,npc->npd", kernels, features).reshape(len(features), -1)
    length = np.linalg.norm(looks + projection.bias, axis=1).mean()
    usual = TrackerConfig().max_appearance_distance
    kernel, bias = projection.kernel.copy(), projection.bias.copy()
    kernel[-1] = 0
    bias[-1] = length * np.sqrt((SPHERE_DISTANCE / usual) ** 2 - 1)
    return Projection(kernel, bias)


@torch.inference_mode()
def read_people(
    network: JDENet, feed: Feed, *, points: int, batches: int
) -> tuple[Float64[np.ndarray, "n points channels"], Int64[np.ndarray, " n"]]:
    """Return what the backbone says at the points of everybody of known identity, and who it is.

    Args:
        network: In evaluation.
        feed: Pictures.
        points: How many down the middle of each person.
        batches: How many batches of an endless `feed` to look at.

    Raises:
        InputError: Nobody's identity is known.
    """
    features, identities = list[Tensor](), list[Tensor]()
    epochs = itertools.chain.from_iterable(feed.epoch(number) for number in itertools.count())
    for number, batch in enumerate(itertools.islice(epochs, batches), start=1):
        known = batch.identities != UNKNOWN_IDENTITY
        maps = network.backbone(batch.images.float().div_(WHITE))[0]
        features.append(read_points(maps, batch, points)[known])
        identities.append(batch.identities[known])
        if number % LOG_BATCHES == 0:
            logger.info("looked at %d of %d batches", number, batches)
    found = torch.cat(features).double().numpy(), torch.cat(identities).numpy()
    if not len(found[0]):
        raise InputError("nobody in these pictures has an identity; add sequences")
    return found


def read_points(maps: Tensor, batch: Batch, points: int) -> Tensor:
    """Return the finest map (people, points, channels) at the points of everybody in a batch."""
    centre, half = batch.boxes[:, :2], batch.boxes[:, 2:] / 2
    corners = torch.cat([centre - half, centre + half], dim=1).numpy()
    rows, columns, shares = map(torch.from_numpy, point_cells(corners, points, *maps.shape[2:]))
    around = maps.permute(0, 2, 3, 1)[batch.picture[:, None, None], rows, columns]
    return (around * shares[..., None]).sum(dim=2)
