from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ZooOptions:
    """List the weights that have a name: where they come from and whether they are here.

    Wherever a command takes weights, it takes these names. Files are fetched on first use.

        jde zoo
        jde track street.mp4 --weights paddle-1088x608
    """


def run(_options: ZooOptions) -> str:
    """Return the table of named weights."""
    from jde.weights.zoo import ZooEntry, cache_folder, zoo_entries  # noqa: PLC0415 (quick help)

    def place(entry: ZooEntry) -> str:
        if entry.shipped is not None:
            return "in the package"
        if entry.cached.exists():
            return f"fetched, {entry.cached.stat().st_size / 1e6:.0f} MB"
        return entry.url or (f"by hand from {entry.page}" if entry.page else "not in this package")

    entries = zoo_entries()
    width = max(len(entry.name) for entry in entries)
    rows = [
        f"{entry.name:<{width}}  {entry.summary}\n{'':<{width}}  {place(entry)}"
        for entry in entries
    ]
    return "\n".join([*rows, "", f"Fetched files lie in {cache_folder()}"])
