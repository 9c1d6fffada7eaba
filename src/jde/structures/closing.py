from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

Kind = TypeVar("Kind", bound="Closing")


class Closing(ABC):
    """What is used in a `with` block and closed at its end, however that comes."""

    @abstractmethod
    def close(self) -> None:
        """Finish, or let go of what is held; once more does no harm."""

    def __enter__(self: Kind) -> Kind:  # noqa: PYI019 (the import hook of the tests cannot resolve Self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
