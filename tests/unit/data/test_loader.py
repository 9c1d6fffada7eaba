import logging
import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator
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


def crowd(*identities: int) -> Labels:
    boxes = [[8 * i, 0, 8 * i + 8, 32] for i in range(len(identities))]
    return Labels(np.array(boxes, np.float32).reshape(-1, 4), np.array(identities, np.int64))


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


def loader(folder: Path, workers: int = 0, max_faults: int = 100, views: int = 1) -> TrainingLoader:
    config = DataConfig(
        sources=(SourceConfig(path=str(folder)),),
        workers=workers,
        max_faults=max_faults,
        views=views,
    )
    source = build_joint_source(config, SIZE)
    return build_loader(config, source, EpochPlan(len(source), 4, seed=3), SIZE)


def assert_equal(first: Batch, second: Batch) -> None:
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.boxes, second.boxes)
    assert torch.equal(first.identities, second.identities)
    assert torch.equal(first.picture, second.picture)
    assert (first.people is None) == (second.people is None)
    if first.people is not None and second.people is not None:
        assert torch.equal(first.people, second.people)
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
    boxes = np.array([[10, 4, 20, 30], [0, 0, 64, 32]], np.float32)
    crowded = Labels(boxes, np.array([5, -1]), np.array([0, 1]))
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
    assert batch.classes.tolist() == [0, 1]
    assert (batch.names, batch.faults) == (("empty.png", "crowded.png"), ("a fault",))
    assert len(batch.to("cpu")) == 2


def test_people_bear_one_number_in_all_views_of_their_picture() -> None:
    image, name = np.zeros((32, 64, 3), np.uint8), Path("a.png")
    whole, part = Sample(image, crowd(4, -1, 6), name), Sample(image, crowd(6), name)
    other = Sample(image, crowd(-1), name)
    pictures = [
        Loaded(whole, (), (part,), (np.arange(3), np.array([2]))),
        Loaded(other, (), (other,), (np.array([1]), np.array([0]))),
    ]
    batch = collate(pictures)
    assert batch.people is not None
    assert batch.views == 2
    assert batch.picture.tolist() == [0, 0, 0, 1, 2, 3]
    assert batch.people.tolist() == [0, 1, 2, 2, 4, 3]
    assert batch.identities.tolist() == [4, -1, 6, 6, -1, -1]
    moved = batch.to("cpu").people
    assert moved is not None
    assert moved.tolist() == batch.people.tolist()


def test_views_without_people_make_a_batch() -> None:
    empty = Sample(np.zeros((32, 64, 3), np.uint8), Labels.empty(), Path("empty.png"))
    nobody = np.zeros(0, np.int64)
    batch = collate([Loaded(empty, (), (empty,), (nobody, nobody))])
    assert batch.people is not None
    assert batch.people.shape == (0,)
    assert len(batch) == batch.views == 2


def test_views_of_a_picture_differ_and_show_the_same_people(folder: Path) -> None:
    single, double = loader(folder), loader(folder, views=2)
    for one, two in zip(single.epoch(0), double.epoch(0), strict=True):
        assert two.names[::2] == two.names[1::2] == one.names
        assert torch.equal(two.images[::2], one.images)
        assert all((two.images[i] != two.images[i + 1]).any() for i in range(0, len(two), 2))
        assert two.people is not None
        identity_of = dict(zip(two.people.tolist(), two.identities.tolist(), strict=True))
        assert [identity_of[number] for number in two.people.tolist()] == two.identities.tolist()
        # Each picture of the folder has one person of its own.
        assert [two.names[row][-6:-4] for row in two.picture.tolist()] == [
            f"{identity:02d}" for identity in two.identities.tolist()
        ]


def test_views_depend_neither_on_workers_nor_on_where_one_starts(folder: Path) -> None:
    alone, shared = loader(folder, views=2), loader(folder, workers=1, views=2)
    whole = list(alone.epoch(1))
    for first, second in zip(whole[1:], shared.epoch(1, 1), strict=True):
        assert_equal(first, second)


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
    for workers in (0, 1):
        with pytest.raises(InputError, match=r"^\S+png: is no picture or is damaged[^\n]+$"):
            list(loader(folder, workers).epoch(0))


def test_batches_go_on_when_a_loading_process_is_killed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared, alone = loader(folder, workers=1), list(loader(folder).epoch(0))
    others = multiprocessing.active_children()
    epoch = shared.epoch(0)
    assert_equal(next(epoch), alone[0])
    # Three batches are prepared ahead at most: the next epoch surely needs the dead process.
    (worker,) = (one for one in multiprocessing.active_children() if one not in others)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    with caplog.at_level(logging.WARNING):
        rest = [*epoch, *shared.epoch(1)]
    for first, second in zip(rest, [*alone[1:], *loader(folder).epoch(1)], strict=True):
        assert_equal(first, second)
    assert any("starting the loading processes again" in one.message for one in caplog.records)


@pytest.mark.parametrize("error", [EOFError(), ConnectionResetError(104, "reset by peer")])
def test_batches_go_on_when_a_loading_process_dies_while_it_hands_one_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    shared, whole = loader(folder, workers=1), list(loader(folder).epoch(0))

    def cut_off() -> Iterator[Batch]:
        yield whole[0]
        monkeypatch.undo()
        raise error

    monkeypatch.setattr(shared, "_iterate", cut_off)
    for first, second in zip(shared.epoch(0), whole, strict=True):
        assert_equal(first, second)


def test_mosaic_is_drawn_from_the_same_chance(folder: Path) -> None:
    config = DataConfig(sources=(SourceConfig(path=str(folder)),))
    source = build_joint_source(config, SIZE)
    augmentation = Augmentation(AugmentationConfig(), SIZE)
    single = TrainingPictures(source, augmentation, 3)
    four = TrainingPictures(source, augmentation, 3, mosaic=1.0)
    (draw, *_), *_ = EpochPlan(len(source), 4).batches(0)
    first, second = four[draw].sample, four[draw].sample
    np.testing.assert_array_equal(first.image, second.image)
    assert first.path == single[draw].sample.path
    assert (first.image != single[draw].sample.image).any()
    # Where processes are started afresh, not forked, the pictures travel to them.
    travelled = pickle.loads(pickle.dumps(four))
    np.testing.assert_array_equal(travelled[draw].sample.image, first.image)
