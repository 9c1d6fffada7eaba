from pathlib import Path

import pytest

from jde.formats.seqinfo import SequenceInfo, is_sequence, read_seqinfo, write_seqinfo
from jde.structures.errors import InputError

TEXT = """[Sequence]
name=walk
imDir=pictures
frameRate=29.97
seqLength=12
imWidth=64
imHeight=48
imExt=.png

; a remark
"""


def test_sequence_is_read_from_its_folder_or_file(tmp_path: Path) -> None:
    assert not is_sequence(tmp_path)
    (tmp_path / "seqinfo.ini").write_text(TEXT)
    assert is_sequence(tmp_path)
    expected = SequenceInfo("walk", tmp_path / "pictures", 29.97, 12, 64, 48)
    assert read_seqinfo(tmp_path) == expected
    assert read_seqinfo(tmp_path / "seqinfo.ini") == expected


def test_written_sequence_reads_back(tmp_path: Path) -> None:
    info = SequenceInfo("walk", tmp_path / "img1", 30.0, 5, 640, 480)
    write_seqinfo(tmp_path, info)
    assert read_seqinfo(tmp_path) == info


def test_name_and_picture_folder_have_defaults(tmp_path: Path) -> None:
    (tmp_path / "seqinfo.ini").write_text(TEXT.replace("name=walk\nimDir=pictures\n", ""))
    info = read_seqinfo(tmp_path)
    assert (info.name, info.image_folder) == (tmp_path.name, tmp_path / "img1")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[Sequence]", "[Other]", r"section \[Sequence\] is missing"),
        ("[Sequence]", "", "is no ini file"),
        ("frameRate=29.97\n", "", "the entry frameRate is missing"),
        ("29.97", "fast", "frameRate is 'fast', which is no number"),
        ("29.97", "0", "frameRate must be greater than 0, got 0"),
        ("29.97", "nan", "frameRate must be greater than 0, got nan"),
    ],
)
def test_fault_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "seqinfo.ini").write_text(TEXT.replace(old, new))
    with pytest.raises(InputError, match=rf"seqinfo.ini: .*{message}"):
        read_seqinfo(tmp_path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"seqinfo.ini: can't be read"):
        read_seqinfo(tmp_path)
