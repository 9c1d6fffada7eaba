from functools import lru_cache

from jde.structures.letterbox import STRIDE, Size

EXCESS = (105, 100)
"""Pixels of a fitted input for those of its budget, at most: sides in steps of 32 need slack."""


@lru_cache(maxsize=256)
def fitted_size(picture: Size, budget: Size) -> Size:
    """Return the size of the network's input that shows a picture largest for about equal work.

    Of all sizes whose sides are multiples of 32 and whose pixels are at most 5 % more than those of
    the budget it is the one in which the letterboxed picture has the largest scale; of equals, the
    one with the fewest pixels.

    Args:
        picture: Width and height of the picture.
        budget: Width and height of an input of as many pixels as may be spent.
    """
    width, height = picture
    cells = budget[0] * budget[1] * EXCESS[0] // (EXCESS[1] * STRIDE**2)
    # Scales as whole numbers (32 * scale / (width * height)), so that equals are found equal.
    scale = max(min(columns * height, cells // columns * width) for columns in range(1, cells + 1))
    return STRIDE * -(-scale // height), STRIDE * -(-scale // width)
