"""What a user gets to read when the input was at fault."""


class InputError(ValueError):
    """Bad input: the message names the file or value at fault and says what mends it.

    The command line prints the message alone, without a traceback, and exits with code 2.
    """


class MissingExtraError(InputError):
    """An optional package is needed and absent; the message holds the line that installs it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed: pip install 'jde[{extra}]'"
        )
