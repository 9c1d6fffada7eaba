from dataclasses import dataclass
from typing import Annotated

import tyro

from jde.structures.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class ZooFetchOptions:
    """Download named weights, or check those that are here.

    A broken download goes on where it stopped. Proxies are taken from the environment;
    JDE_ZOO_MIRROR names a base URL under which the files lie by their own names.

        jde zoo fetch paddle-1088x608
    """

    name: Annotated[str, tyro.conf.Positional]
    """A name that 'jde zoo' lists."""


def run(options: ZooFetchOptions) -> str:
    """Fetch weights and say where they are."""
    from jde.weights.zoo import fetch, find_entry, sha256, zoo_entries  # noqa: PLC0415 (quick help)

    entry = find_entry(options.name)
    if entry is None:
        names = ", ".join(entry.name for entry in zoo_entries())
        raise InputError(f"there are no weights called {options.name!r}; known are {names}")
    path = fetch(entry)
    return f"{path}\n{path.stat().st_size} bytes, SHA-256 {sha256(path)}"
