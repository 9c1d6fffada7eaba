import pytest

from jde.export.quantisation import kept_exact

HEAD = "/detection_2/Conv"
BACKBONE = "/backbone/stages.1/stages.1.0/widen/conv/Conv"
PLAIN = [f"/pyramid/levels.2/to_route/to_route.1/conv/{name}" for name in ("Conv", "LeakyRelu")]
SEPARABLE = "/pyramid/levels.2/to_route/to_route.1/pointwise/conv/Conv"
JOINED = "/pyramid/Concat"


@pytest.mark.parametrize(
    ("neck", "exact"),
    [([*PLAIN, JOINED], []), ([SEPARABLE, *PLAIN, JOINED], [SEPARABLE, *PLAIN, JOINED])],
    ids=["plain", "separable"],
)
def test_heads_and_a_separable_neck_keep_their_precision(neck: list[str], exact: list[str]) -> None:
    assert kept_exact([BACKBONE, *neck, HEAD]) == [*exact, HEAD]
