"""A disk without room, for tests: files of this process can't grow beyond a few bytes."""

import resource

ROOM = 150
"""Bytes that a file may have: less than a checkpoint or a line of the log."""


def fill() -> None:
    """Let every further write of this process fail as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))


def empty() -> None:
    """Make room again."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
