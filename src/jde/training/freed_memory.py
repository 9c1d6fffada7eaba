"""Memory that a training step frees, kept for the next one."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Numbers of these options in glibc's malloc.h."""

NEVER = -1


def keep_freed_memory() -> None:
    """Stop glibc from handing freed memory back to the system, for the rest of this process.

    Each step on a CPU frees the gigabytes of its maps and asks for them again. Large blocks
    would go back at once, and every page of the next ones would have to be cleared and mapped
    anew. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, NEVER)
