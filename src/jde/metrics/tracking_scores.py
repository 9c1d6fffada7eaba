"""All scores of one sequence, or of several together."""

from dataclasses import dataclass

from jde.formats.mot_text import MotRows
from jde.metrics.clear import ClearCounts, count_clear
from jde.metrics.comparison import Protocol, compare
from jde.metrics.correspondence import SwitchCounts, count_correspondence
from jde.metrics.hota import HotaCounts, count_hota
from jde.metrics.identity import IdentityCounts, count_identity
from jde.metrics.score_table import Score


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """CLEAR, Identity and HOTA; adding two gives the scores of both sequences together.

    Attributes:
        clear: Counts of boxes and people.
        kinds: Kinds of identity changes as py-motmetrics counts them.
        identity: Counts under the best pairing of people and tracks.
        hota: Counts for every limit of overlap.
    """

    clear: ClearCounts
    kinds: SwitchCounts
    identity: IdentityCounts
    hota: HotaCounts

    @classmethod
    def zero(cls) -> "TrackingScores":
        """Return the scores of no sequence."""
        return cls(ClearCounts(), SwitchCounts(), IdentityCounts(), HotaCounts.zero())

    def __add__(self, other: "TrackingScores") -> "TrackingScores":
        return type(self)(
            self.clear + other.clear,
            self.kinds + other.kinds,
            self.identity + other.identity,
            self.hota + other.hota,
        )

    def as_dict(self) -> dict[str, Score]:
        """Return every score by the name of its column: shares from 0 to 1, and counts."""
        return {
            "HOTA": float(self.hota.hota.mean()),
            "DetA": float(self.hota.detection.mean()),
            "AssA": float(self.hota.mean_association.mean()),
            "LocA": float(self.hota.localisation.mean()),
            "MOTA": self.clear.mota,
            "MOTP": self.clear.motp,
            "IDF1": self.identity.f1,
            "IDP": self.identity.precision,
            "IDR": self.identity.recall,
            "recall": self.clear.recall,
            "precision": self.clear.precision,
            "GT": self.clear.people,
            "MT": self.clear.mostly_tracked,
            "PT": self.clear.partially_tracked,
            "ML": self.clear.mostly_lost,
            "TP": self.clear.found,
            "FP": self.clear.false_alarms,
            "FN": self.clear.missed,
            "IDs": self.clear.switches,
            "FM": self.clear.fragmentations,
            "IDt": self.kinds.transfers,
            "IDa": self.kinds.ascends,
            "IDm": self.kinds.migrations,
            "IDTP": self.identity.right,
            "IDFP": self.identity.wrong,
            "IDFN": self.identity.missed,
        }


def score_sequence(
    results: MotRows, truth: MotRows, *, name: str = "sequence", protocol: Protocol = "mot"
) -> TrackingScores:
    """Return the scores of tracks in memory; `MotRows.of_tracks` makes rows of them.

    Args:
        results: Reported boxes.
        truth: Ground truth.
        name: Name of the sequence, as `compare` needs it and for messages.
        protocol: `mot` counts as the official evaluator does; `zhongdao` and `paddle` as the
            published programs do.

    Raises:
        InputError: The results can't be scored.
    """
    comparison = compare(results, truth, name=name, protocol=protocol)
    counts, kinds = count_correspondence(comparison)
    return TrackingScores(
        clear=count_clear(comparison) if protocol == "mot" else counts,
        kinds=kinds,
        identity=count_identity(comparison),
        hota=count_hota(comparison),
    )
