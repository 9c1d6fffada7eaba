"""The sets that `jde prepare` knows."""

from dataclasses import dataclass, field

from jde.data.prepare.caltech import EXPECTED as CALTECH
from jde.data.prepare.caltech import read_caltech
from jde.data.prepare.citypersons import EXPECTED as CITYPERSONS
from jde.data.prepare.citypersons import read_citypersons
from jde.data.prepare.coco import EXPECTED as COCO
from jde.data.prepare.coco import read_coco
from jde.data.prepare.crowdhuman import EXPECTED as CROWDHUMAN
from jde.data.prepare.crowdhuman import read_crowdhuman
from jde.data.prepare.cuhk_sysu import EXPECTED as CUHK_SYSU
from jde.data.prepare.cuhk_sysu import read_cuhk_sysu
from jde.data.prepare.cvat import EXPECTED as CVAT
from jde.data.prepare.cvat import read_cvat
from jde.data.prepare.ethz import EXPECTED as ETHZ
from jde.data.prepare.ethz import read_ethz
from jde.data.prepare.motchallenge import EXPECTED as MOT
from jde.data.prepare.motchallenge import read_sequences, reader
from jde.data.prepare.prepared import Part, SetReader
from jde.data.prepare.prw import EXPECTED as PRW
from jde.data.prepare.prw import read_prw
from jde.data.prepare.yolo import EXPECTED as YOLO
from jde.data.prepare.yolo import read_yolo


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set and how it is called below the data root.

    Attributes:
        read: Reads the official layout.
        folder: Folder of the set, as in the published lists.
        list_name: Name of its list files, as in the published lists.
        expected: The layout in words.
        published: Pictures in the authors' lists, to compare with.
    """

    read: SetReader
    folder: str
    list_name: str
    expected: str
    published: dict[Part, int] = field(default_factory=dict)


PUBLIC_SETS = {
    "caltech": PublicSet(
        read_caltech, "Caltech/data", "caltech", CALTECH, {"train": 26738, "val": 29912}
    ),
    "citypersons": PublicSet(
        read_citypersons, "Cityscapes", "citypersons", CITYPERSONS, {"train": 2500, "val": 441}
    ),
    "coco": PublicSet(read_coco, "COCO", "coco", COCO),
    "crowdhuman": PublicSet(read_crowdhuman, "CrowdHuman", "crowdhuman", CROWDHUMAN),
    "cuhk-sysu": PublicSet(read_cuhk_sysu, "CUHKSYSU", "cuhksysu", CUHK_SYSU, {"train": 11206}),
    "cvat": PublicSet(read_cvat, "CVAT", "cvat", CVAT),
    "ethz": PublicSet(read_ethz, "ETHZ", "eth", ETHZ, {"train": 2056}),
    "mot": PublicSet(read_sequences, "MOT", "mot", MOT),
    "mot15": PublicSet(read_sequences, "MOT15", "mot15", MOT),
    "mot16": PublicSet(read_sequences, "MOT16", "mot16", MOT),
    "mot17": PublicSet(reader("-SDP"), "MOT17", "mot17", MOT, {"train": 5316}),
    "mot20": PublicSet(read_sequences, "MOT20", "mot20", MOT, {"train": 8931}),
    "prw": PublicSet(read_prw, "PRW", "prw", PRW, {"train": 5701}),
    "yolo": PublicSet(read_yolo, "YOLO", "yolo", YOLO),
}
