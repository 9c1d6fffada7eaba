"""What a measurement was made on."""

import os
import platform
import sys
from pathlib import Path
from typing import Any

from jde.engines.parallelism import core_count
from jde.pipeline.job import versions

NOTABLE_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8", "asimd")
"""Instructions that decide how fast a network can be."""

GIBIBYTE = 2**30
BUSY = 0.5
"""Load for each core from which on other programs disturb what is measured."""


def describe_machine() -> dict[str, Any]:
    """Return processor, memory, system, GPU and the versions of the loaded packages."""
    facts = processor_facts()
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return {
        "processor": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": core_count(),
        "instructions": [flag for flag in NOTABLE_FLAGS if flag in flags],
        "memory_gib": memory_gibibytes(),
        "gpu": gpu_name(),
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": versions(),
    }


def processor_facts() -> dict[str, str]:
    """Return what Linux tells about the first core; nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def memory_gibibytes() -> float | None:
    """Return the memory of the machine, where the system tells."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIBIBYTE, 1)


def resident_mebibytes() -> float | None:
    """Return the memory that this process holds, where Linux tells."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    sizes = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")]
    return round(sizes[0], 1) if sizes else None


def gpu_name() -> str | None:
    """Return the name of the GPU that PyTorch would use, where PyTorch is loaded and finds one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name())


def is_disturbed(machine: dict[str, Any]) -> bool:
    """Return whether other programs took so much of the machine that only ratios count."""
    return machine["load"] is not None and machine["load"] > BUSY * machine["cores"]
