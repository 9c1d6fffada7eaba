from queue import LifoQueue
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jde.engines.graph_runtime import Arrays


class InferRequests:
    """Runs pictures through one compiled OpenVINO graph, several callers side by side.

    Who comes when all streams are taken waits for the next one that is free.

    Args:
        compiled: The graph, for one picture.
        streams: How many callers are served at once, as many as it was compiled for.
    """

    def __init__(self, compiled: Any, streams: int) -> None:
        self._names = [output.get_any_name() for output in compiled.outputs]
        # The one used last comes first: its memory is the warmest.
        self._idle: LifoQueue[Any] = LifoQueue()
        for _ in range(streams):
            self._idle.put(compiled.create_infer_request())

    def run(self, image: UInt8[np.ndarray, "1 h w 3"]) -> Arrays:
        """Return the outputs for one picture."""
        request = self._idle.get()
        try:
            request.infer({0: np.ascontiguousarray(image)}, share_inputs=True)
            # Copies, since the next picture overwrites what the request holds.
            return {
                name: request.get_output_tensor(place).data.copy()
                for place, name in enumerate(self._names)
            }
        finally:
            self._idle.put(request)
