"""MATLAB files as plain dictionaries, arrays and lists."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from jde.structures.errors import InputError


def read_matlab(path: Path, *variables: str) -> Any:
    """Return the first of `variables` that the file holds: structs as dictionaries.

    Raises:
        InputError: The file can't be read, is damaged or holds none of the variables.
    """
    from scipy.io import loadmat  # noqa: PLC0415 (slow to import; few sets need it)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Old files carry byte-order and duplicate-name slips.
            content = loadmat(str(path), appendmat=False, squeeze_me=True, struct_as_record=False)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error})") from error
    except Exception as error:  # SciPy raises many kinds on damaged files.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: is no readable MATLAB file ({reason})") from error
    for variable in variables:
        if variable in content:
            return _plain(content[variable])
    raise InputError(f"{path}: holds no variable {' or '.join(variables)}")


def _plain(value: Any) -> Any:
    """Return structs as dictionaries and arrays of cells or structs as lists, at any depth.

    SciPy's own simplification stops at arrays of structs inside cells.
    """
    if hasattr(value, "_fieldnames"):
        return {name: _plain(getattr(value, name)) for name in value._fieldnames}  # noqa: SLF001 (SciPy names the fields of a struct there)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [_plain(entry) for entry in value.ravel()]
    return value


def entries(value: Any) -> list[Any]:
    """Return a cell or struct array as a list, also where one entry or none made it a scalar."""
    if isinstance(value, np.ndarray | list):
        return list(value)
    return [value]


def rows(value: Any, columns: int) -> list[list[float]]:
    """Return a matrix as rows of numbers, also where a single row lost a dimension."""
    matrix = np.asarray(value, np.float64)
    return matrix.reshape(-1, columns).tolist() if matrix.size else []
