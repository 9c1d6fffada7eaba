"""Where the joints of a walking person are, in metres."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from jde.data.scenes.appearance import Appearance

HIP, KNEE, ANKLE = 0.52, 0.285, 0.045
"""Heights of the leg's joints in parts of the body's height."""
SHOULDER, HEAD = 0.815, 0.925
UPPER_ARM, FORE_ARM, FOOT = 0.175, 0.165, 0.10
SHOULDER_HALF, HIP_HALF = 0.098, 0.055

Point = Float64[np.ndarray, " 3"]
"""Right, up and towards the viewer, in metres from the place where the person stands."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a person holds the body in one moment.

    Attributes:
        phase: Position in the double step, in radians.
        swing: Largest angle of the thigh, in radians: 0 stands still.
        heading: Direction of walking on the ground, in radians: 0 to the right of the picture,
            a quarter turn away from the viewer.
        elevation: Angle under which the viewer looks down, in radians.
        arms: Bend of the left and right elbow, in radians.
        lift: Rest angle of the left and right upper arm forward, in radians.
        lean: Forward lean of the trunk, in radians.
    """

    phase: float
    swing: float
    heading: float
    elevation: float
    arms: tuple[float, float] = (0.3, 0.3)
    lift: tuple[float, float] = (0.0, 0.0)
    lean: float = 0.05


def joints(appearance: Appearance, pose: Pose) -> dict[str, Point]:
    """Return the joints by name; those of the legs and arms end in the side, 0 or 1."""
    local = {**_legs(pose), **_trunk(pose)}
    for side in (0, 1):
        local |= _arm(local[f"shoulder{side}"], pose, side)
    ground = min(local[f"ankle{side}"][1] for side in (0, 1)) - ANKLE
    names = list(local)
    body = (np.array([local[name] for name in names]) - [0, ground, 0]) * appearance.height
    return dict(zip(names, body @ _view(pose).T, strict=True))


def _view(pose: Pose) -> Float64[np.ndarray, "3 3"]:
    """Return the map from forward, up, left to right, up, near as the viewer sees them."""
    cos, sin = np.cos(pose.heading), np.sin(pose.heading)
    high, low = np.cos(pose.elevation), np.sin(pose.elevation)
    # Forward is (cos, sin) on the ground (right, away); left of it is (-sin, cos).
    right = np.array([cos, 0, -sin])
    away = np.array([sin, 0, cos])
    up = np.array([0.0, 1.0, 0.0])
    return np.stack([right, high * up + low * away, low * up - high * away])


def _turn(length: float, angle: float) -> Point:
    """Return a bone that hangs down and is turned forward by `angle`."""
    return np.array([length * np.sin(angle), -length * np.cos(angle), 0.0])


def _legs(pose: Pose) -> dict[str, Point]:
    found: dict[str, Point] = {}
    for side, sign in ((0, 1.0), (1, -1.0)):
        phase = pose.phase + np.pi * side
        thigh = pose.swing * np.sin(phase)
        # The knee bends while the leg swings forward and is nearly straight under load.
        bend = 0.08 + pose.swing * 1.9 * max(0.0, np.cos(phase)) ** 2
        hip = np.array([0.0, HIP, sign * HIP_HALF])
        knee = hip + _turn(HIP - KNEE, thigh)
        ankle = knee + _turn(KNEE - ANKLE, thigh - bend)
        toe_angle = np.pi / 2 - 0.35 * max(0.0, bend - 0.3)
        found |= {f"hip{side}": hip, f"knee{side}": knee, f"ankle{side}": ankle}
        found[f"toe{side}"] = ankle + _turn(FOOT, toe_angle) - [0, ANKLE * 0.55, 0]
    return found


def _trunk(pose: Pose) -> dict[str, Point]:
    found: dict[str, Point] = {}
    twist = 0.25 * pose.swing * np.sin(pose.phase)
    forward, up = np.sin(pose.lean), np.cos(pose.lean)
    for side, sign in ((0, 1.0), (1, -1.0)):
        rise = SHOULDER - HIP
        found[f"shoulder{side}"] = np.array(
            [rise * forward - sign * twist * SHOULDER_HALF, HIP + rise * up, sign * SHOULDER_HALF]
        )
    found["neck"] = np.array([0.31 * forward, HIP + 0.33 * up, 0.0])
    found["head"] = np.array([0.42 * forward + 0.01, HIP + (HEAD - HIP) * up, 0.0])
    found["back"] = np.array([0.2 * forward - 0.075, HIP + 0.2 * up, 0.0])
    found["face"] = found["head"] + [0.022, -0.012, 0.0]
    found["crown"] = found["head"] + [-0.014, 0.012, 0.0]
    found["nape"] = found["head"] + [-0.045, -0.06, 0.0]
    found["brim"] = found["head"] + [0.075, 0.025, 0.0]
    return found


def _arm(shoulder: Point, pose: Pose, side: int) -> dict[str, Point]:
    phase = pose.phase + np.pi * (1 - side)
    angle = pose.lift[side] + 0.75 * pose.swing * np.sin(phase)
    outward = np.array([0.0, 0.0, 0.025 if side == 0 else -0.025])
    elbow = shoulder + _turn(UPPER_ARM, angle) + outward
    return {
        f"elbow{side}": elbow,
        f"hand{side}": elbow + _turn(FORE_ARM, angle + pose.arms[side]) - outward * 0.4,
    }
