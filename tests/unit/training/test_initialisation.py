"""What a network of several classes takes over from one of people."""

from dataclasses import replace
from pathlib import Path

import torch
from tests.lively_network import lively_network

from jde.model.builders import PRIOR, build_network
from jde.training.initialisation import change_classes, copy_fitting
from jde.weights.native import write_network

CLASSES = ("car", "person")


def test_a_network_of_several_classes_starts_as_the_one_of_people(tmp_path: Path) -> None:
    people = lively_network()
    write_network(tmp_path / "people.safetensors", people)
    network = build_network(replace(people.config, classes=CLASSES)).eval()
    loaded = copy_fitting(network, str(tmp_path / "people.safetensors"))
    assert loaded == len(network.state_dict())
    images = torch.rand(1, 3, 96, 128)
    with torch.inference_mode():
        for old, new in zip(people(images), network(images), strict=True):
            torch.testing.assert_close(new.box_deltas, old.box_deltas)
            torch.testing.assert_close(new.embeddings, old.embeddings)
            before, after = old.objectness.softmax(2), new.objectness.softmax(2)
            # The new class has its share of the background alone.
            torch.testing.assert_close(
                after[:, :, 0] / after[:, :, 2], before[:, :, 0] / before[:, :, 1]
            )
            torch.testing.assert_close(
                after[:, :, 1] / after[:, :, 0], after[:, :, 1] * 0 + PRIOR / (1 - PRIOR)
            )


def test_a_class_can_be_taken_out_of_a_network_of_several() -> None:
    several = lively_network(classes=CLASSES).state_dict()
    changed = change_classes(several, CLASSES, ("person",))
    for name, tensor in changed.items():
        old = several[name].view(4, 7, -1)
        torch.testing.assert_close(tensor.view(4, 6, -1), old[:, [0, 1, 2, 3, 4, 6]])
    assert len(changed) == 6
