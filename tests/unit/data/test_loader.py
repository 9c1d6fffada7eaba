import logging
import multiprocessing
import os
import pickle
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from jde.data.augmentation import Augmentation, AugmentationConfig
from jde.data.batch import Batch
from jde.data.config import DataConfig, SourceConfig, build_joint_source, build_loader
from jde.data.loader import Loaded, TrainingLoader, TrainingPictures, collate
from jde.data.sample import Labels, Sample
from jde.data.sampling import EpochPlan
from jde.imaging.picture_file import write_picture
from jde.structures.errors import InputError

SIZE = (64, 32)
PICTURES = 11


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures of noise, one person in each."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    (tmp_path / "labels_with_ids").mkdir()
    for number in range(PICTURES):
        image = rng.integers(0, 255, (60, 100, 3), np.uint8)
        write_picture(tmp_path / "images" / f"{number:02d}.png", image)
        (tmp_path / "labels_with_ids" / f"{number:02d}.txt").write_text(
            f"0 {number} 0.5 0.5 0.3 0.6\n"
        )
    return tmp_path


def loader(folder: Path, workers: int = 0, max_faults: int = 100) -> TrainingLoader:
    config = DataConfig(
        sources=(SourceConfig(path=str(folder)),), workers=workers, max_faults=max_faults
    )
    source = build_joint_source(config, SIZE)
    return build_loader(config, source, EpochPlan(len(source), 4, seed=3), SIZE)


def assert_equal(first: Batch, second: Batch) -> None:
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.boxes, second.boxes)
    assert torch.equal(first.identities, second.identities)
    assert torch.equal(first.picture, second.picture)
    assert first.names == second.names


def test_batches_depend_neither_on_workers_nor_on_where_one_starts(folder: Path) -> None:
    alone, shared = loader(folder), loader(folder, workers=2)
    state = torch.get_rng_state()
    for epoch in (0, 1):
        whole = list(alone.epoch(epoch))
        assert len(whole) == len(alone) == 3
        for first, second in zip(whole, shared.epoch(epoch), strict=True):
            assert_equal(first, second)
        for first, second in zip(whole[2:], shared.epoch(epoch, 2), strict=True):
            assert_equal(first, second)
    assert torch.equal(state, torch.get_rng_state())


def test_an_epoch_left_halfway_leaves_nothing_behind(folder: Path) -> None:
    shared, alone = loader(folder, workers=1), loader(folder)
    next(shared.epoch(0))
    for first, second in zip(shared.epoch(1), alone.epoch(1), strict=True):
        assert_equal(first, second)


def test_epochs_change_order_and_pictures(folder: Path) -> None:
    alone = loader(folder)
    first, second = list(alone.epoch(0)), list(alone.epoch(1))
    names = [[name for batch in epoch for name in batch.names] for epoch in (first, second)]
    assert sorted(names[0]) == sorted(names[1])
    assert len(set(names[0])) == PICTURES
    assert names[0] != names[1]


def test_batch_holds_centre_boxes_and_the_row_of_their_picture() -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[..., 0] = 9
    crowded = Labels(np.array([[10, 4, 20, 30], [0, 0, 64, 32]], np.float32), np.array([5, -1]))
    samples = [
        Sample(image, Labels.empty(), Path("empty.png")),
        Sample(image, crowded, Path("crowded.png")),
    ]
    batch = collate([Loaded(samples[0], ()), Loaded(samples[1], ("a fault",))])
    assert batch.images.shape == (2, 3, 32, 64)
    assert batch.images[1, :, 0, 0].tolist() == [9, 0, 0]
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.boxes.tolist() == [[15, 17, 10, 26], [32, 16, 64, 32]]
    assert batch.identities.tolist() == [5, -1]
    assert batch.picture.tolist() == [1, 1]
    assert (batch.names, batch.faults) == (("empty.png", "crowded.png"), ("a fault",))
    assert len(batch.to("cpu")) == 2


def test_pictures_without_people_make_a_batch() -> None:
    empty = Sample(np.zeros((32, 64, 3), np.uint8), Labels.empty(), Path("empty.png"))
    batch = collate([Loaded(empty, ())])
    assert batch.boxes.shape == (0, 4)
    assert batch.boxes.dtype == torch.float32
    assert batch.identities.dtype == batch.picture.dtype == torch.int64


def test_damaged_picture_is_replaced_and_reported_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "images" / "05.png").write_bytes(b"no picture")
    alone = loader(folder)
    with caplog.at_level(logging.WARNING):
        batches = [batch for epoch in (0, 1) for batch in alone.epoch(epoch)]
    assert sum(len(batch) for batch in batches) == 2 * PICTURES
    assert not any("05.png" in name for batch in batches for name in batch.names)
    (message,) = [record.message for record in caplog.records]
    assert message.startswith(f"{folder}/images/05.png: is no picture or is damaged")
    assert message.endswith("another picture takes its place")


def test_too_many_damaged_pictures_stop_the_run(folder: Path) -> None:
    for number in (1, 2, 3):
        (folder / "images" / f"{number:02d}.png").write_bytes(b"")
    with pytest.raises(InputError, match="3 training pictures can't be read, more than the 2"):
        list(loader(folder, max_faults=2).epoch(0))
    for path in (folder / "images").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="is no picture or is damaged"):
        list(loader(folder).epoch(0))


def test_batches_go_on_when_a_loading_process_is_killed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared, alone = loader(folder, workers=1), list(loader(folder).epoch(0))
    epoch = shared.epoch(0)
    assert_equal(next(epoch), alone[0])
    # Three batches are prepared ahead at most: the next epoch surely needs the dead process.
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    with caplog.at_level(logging.WARNING):
        rest = [*epoch, *shared.epoch(1)]
    for first, second in zip(rest, [*alone[1:], *loader(folder).epoch(1)], strict=True):
        assert_equal(first, second)
    assert any("starting the loading processes again" in one.message for one in caplog.records)


def test_mosaic_is_drawn_from_the_same_chance(folder: Path) -> None:
    config = DataConfig(sources=(SourceConfig(path=str(folder)),))
    source = build_joint_source(config, SIZE)
    augmentation = Augmentation(AugmentationConfig(), SIZE)
    single = TrainingPictures(source, augmentation, 3)
    four = TrainingPictures(source, augmentation, 3, mosaic=1.0)
    (draw, *_), *_ = EpochPlan(len(source), 4).steps(0)
    first, second = four[draw].sample, four[draw].sample
    np.testing.assert_array_equal(first.image, second.image)
    assert first.path == single[draw].sample.path
    assert (first.image != single[draw].sample.image).any()
    # Where processes are started afresh, not forked, the pictures travel to them.
    travelled = pickle.loads(pickle.dumps(four))
    np.testing.assert_array_equal(travelled[draw].sample.image, first.image)
