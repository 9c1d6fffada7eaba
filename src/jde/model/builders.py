"""The composition root: where the parts of each network can be seen together."""

import math

import torch
from torch import nn

from jde.model.config import ModelConfig
from jde.model.darknet import Darknet53
from jde.model.joint_head import ANCHORS_PER_LEVEL, BACKGROUND, JointHead
from jde.model.mobilenet import NANO_STAGES, SMALL_STAGES, MobileNet
from jde.model.network import JDENet
from jde.model.pyramid import FeaturePyramid, full_conv3x3, separable_conv3x3

DARKNET_ROUTES = (512, 256, 128)
NANO_ROUTES = (64, 64, 64)
SMALL_ROUTES = (160, 144, 128)
PRIOR = 0.01
"""Share of anchors that a fresh compact network takes for people (RetinaNet, arXiv 1708.02002)."""


def build_network(config: ModelConfig) -> JDENet:
    """Return a fresh network with random weights."""
    if config.architecture == "darknet53":
        return build_darknet53(config)
    if config.architecture == "nano":
        return build_compact(config, MobileNet(NANO_STAGES), NANO_ROUTES)
    return build_compact(config, MobileNet(SMALL_STAGES), SMALL_ROUTES)


def build_darknet53(config: ModelConfig) -> JDENet:
    """Return the published network."""
    return JDENet(
        config,
        backbone=Darknet53(config.activation, config.stride2_padding),
        pyramid=FeaturePyramid(Darknet53.channels, DARKNET_ROUTES, full_conv3x3),
        heads=make_heads(DARKNET_ROUTES, config, Darknet53.channels[0]),
    )


def build_compact(config: ModelConfig, backbone: MobileNet, routes: tuple[int, int, int]) -> JDENet:
    """Return a compact network under the same head."""
    network = JDENet(
        config,
        backbone=backbone,
        pyramid=FeaturePyramid(backbone.channels, routes, separable_conv3x3),
        heads=make_heads(routes, config, backbone.channels[0]),
    )
    for head in network.heads:
        assert isinstance(head, JointHead)
        expect_few_people(head)
    return network


def make_heads(
    routes: tuple[int, int, int], config: ModelConfig, finest_channels: int
) -> nn.ModuleList:
    """Return the heads of the three levels.

    Args:
        routes: Channels of the routes, coarse to fine.
        config: Of the network.
        finest_channels: Channels of the backbone's finest map.
    """
    dim, classes = config.embedding_dim, len(config.classes)
    # Where points are read, the coarse levels keep what they learnt: training goes on from it.
    appearance = (0, 0, finest_channels if config.appearance_points else 0)
    return nn.ModuleList(
        JointHead(channels, dim, classes, read)
        for channels, read in zip(routes, appearance, strict=True)
    )


def expect_few_people(head: JointHead) -> None:
    """Start objectness at the share of people in pictures, so that early steps aren't wasted.

    Several classes share it.
    """
    assert head.detection.bias is not None
    with torch.no_grad():
        bias = head.detection.bias.view(ANCHORS_PER_LEVEL, head.numbers)
        bias.zero_()
        classes = bias[:, BACKGROUND + 1 :]
        classes += math.log(PRIOR / (1 - PRIOR)) - math.log(classes.shape[1])
