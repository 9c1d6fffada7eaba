"""Which files training pictures come from, what identifies them, and which are scored, too."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from jde.data.joint import JointSource
from jde.data.picture_source import PictureSource
from jde.data.sample import Source
from jde.data.scenes.composed_source import ComposedSource

BLOCK = 1 << 20


def picture_files(source: Source) -> Iterator[Path]:
    """Yield the picture files of a source; a composed one has those of its backgrounds.

    Cut-outs no longer tell which picture they come from.
    """
    if isinstance(source, JointSource):
        for one in source.sources:
            yield from picture_files(one)
    elif isinstance(source, ComposedSource):
        yield from picture_files(source.backgrounds)
    elif isinstance(source, PictureSource):
        yield from source.pictures


def digest(source: Source) -> str:
    """Return a SHA-256 over names, sizes and labels of the pictures of a source.

    The pixels are not read, so that it is quick. Names count from the folder that all pictures
    share: a moved data set keeps its digest. Of drawn pictures the recipe counts.
    """
    found = hashlib.sha256()
    if isinstance(source, PictureSource):
        _add_files(found, source.pictures)
        for values in (source.shares, source.identities, source.starts):
            found.update(values.tobytes())
        if source.classes.any():
            found.update(source.classes.tobytes())
    elif isinstance(source, ComposedSource):
        _add_files(found, [view for views in source.cutouts.views for view in views])
        recipe = (source.seed, source.length, source.size, source.people, source.fresh)
        found.update(f"{recipe}{digest(source.backgrounds)}".encode())
    elif isinstance(source, JointSource):
        found.update("".join(map(digest, source.sources)).encode())
    else:
        found.update(repr(source).encode())
    return found.hexdigest()


def _add_files(found: "hashlib._Hash", files: Iterable[Path]) -> None:
    paths = [path.absolute() for path in files]
    root = Path(os.path.commonpath([path.parent for path in paths]))
    for path in sorted(paths):
        size = path.stat().st_size if path.exists() else -1
        found.update(f"{path.relative_to(root).as_posix()}\0{size}\n".encode())


def find_shared(trained: Iterable[Path], scored: Iterable[Path]) -> list[Path]:
    """Return the scored pictures that are among the trained ones, under whatever name.

    Files are the same if their resolved paths are, or their contents; only files of equal size are
    read.
    """
    known = {path.resolve() for path in trained}
    sizes: dict[int, list[Path]] = {}
    for path in known:
        if path.exists():
            sizes.setdefault(path.stat().st_size, []).append(path)
    contents: dict[int, set[bytes]] = {}

    def is_known(path: Path) -> bool:
        if path in known:
            return True
        size = path.stat().st_size if path.exists() else -1
        if size not in sizes:
            return False
        if size not in contents:
            contents[size] = {_content(one) for one in sizes[size]}
        return _content(path) in contents[size]

    return [path for path in dict.fromkeys(scored) if is_known(path.resolve())]


def _content(path: Path) -> bytes:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.digest()
