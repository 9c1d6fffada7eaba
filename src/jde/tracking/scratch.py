import numpy as np
from jaxtyping import Float32, Int64

GROWTH = 1.5
"""Room beyond what is asked for, so that a growing crowd seldom needs new memory."""


class Scratch:
    """Memory for the embeddings of one step, used again in the next.

    The C library hands large arrays back to the system as soon as they are freed: with two hundred
    people, the page faults of asking again took as long as the whole association.
    """

    def __init__(self) -> None:
        self._memory: dict[str, Float32[np.ndarray, " size"]] = {}

    def rows(self, name: str, count: int, width: int) -> Float32[np.ndarray, "count width"]:
        """Return an array that holds anything, until the next call with this name."""
        size = count * width
        memory = self._memory.get(name)
        if memory is None or len(memory) < size:
            memory = self._memory[name] = np.empty(int(size * GROWTH), np.float32)
        return memory[:size].reshape(count, width)

    def taken(
        self, name: str, rows: Float32[np.ndarray, "n width"], chosen: Int64[np.ndarray, " count"]
    ) -> Float32[np.ndarray, "count width"]:
        """Return copies of the rows at valid places, until the next call with this name."""
        copies = self.rows(name, len(chosen), rows.shape[1])
        # Any mode but the default writes straight into the given memory.
        return rows.take(chosen, axis=0, out=copies, mode="clip")
