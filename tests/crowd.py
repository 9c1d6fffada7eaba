"""Streams of detections with crossings, misses and false alarms."""

from collections.abc import Iterator

import numpy as np

from jde.structures.detections import Detections


def crowd(
    people: int,
    frames: int,
    seed: int,
    *,
    miss: float = 0.05,
    false_alarms: float = 0.02,
    dim: int = 64,
    size: tuple[int, int] = (1920, 1080),
) -> Iterator[Detections]:
    """Yield the detections of people who walk through each other, vanish for a while and return.

    Each person is missed at random, and now and then for many frames; appearances of some are
    near each other's, all of them are noisy, and who comes back may show another side.
    """
    rng = np.random.default_rng(seed)
    height = np.exp(rng.uniform(np.log(8), np.log(260), people))
    centre = rng.uniform(0, 1, (people, 2)) * size
    speed = rng.normal(0, 3, (people, 2))
    looks = rng.normal(size=(people, dim))
    looks[1::5] = looks[::5][: len(looks[1::5])] + 0.3 * rng.normal(size=looks[1::5].shape)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    hidden = np.zeros(people, np.int64)
    for _ in range(frames):
        speed = 0.95 * speed + rng.normal(0, 0.6, (people, 2))
        centre = np.mod(centre + speed * np.minimum(height / 80, 1)[:, None], size)
        height *= np.exp(rng.normal(0, 0.01, people))
        begins = (hidden == 0) & (rng.random(people) < miss / 5)
        spell = np.where(rng.random(people) < 0.5, 2, rng.integers(1, 45, people))
        hidden = np.where(begins, spell, np.maximum(hidden - 1, 0))
        turns = begins & (rng.random(people) < 0.3)
        looks[turns] = rng.normal(size=(turns.sum(), dim)) / np.sqrt(dim)
        seen = (hidden == 0) & (rng.random(people) > miss)
        box_height = height[seen] * np.exp(rng.normal(0, 0.02, seen.sum()))
        half = np.stack([box_height * 0.2, box_height * 0.5], axis=1)
        middle = centre[seen] + rng.normal(0, 0.02, (seen.sum(), 2)) * box_height[:, None]
        embeddings = looks[seen] + rng.normal(0, 0.3 / np.sqrt(dim), (seen.sum(), dim))
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        ghosts = rng.poisson(false_alarms * people)
        corner = rng.uniform(0, 1, (ghosts, 2)) * size
        ghost_boxes = np.concatenate([corner, corner + rng.uniform(20, 200, (ghosts, 2))], axis=1)
        everything = np.concatenate([embeddings, rng.normal(size=(ghosts, dim))])
        everything /= np.linalg.norm(everything, axis=1, keepdims=True)
        order = rng.permutation(len(boxes) + ghosts)
        yield Detections(
            boxes=np.concatenate([boxes, ghost_boxes])[order].astype(np.float32),
            scores=rng.uniform(0.2, 1, len(order)).astype(np.float32),
            embeddings=everything[order].astype(np.float32),
        )
