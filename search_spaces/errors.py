"""The one exception that a command line turns into a sentence and exit code 2."""


class InvalidInput(ValueError):  # noqa: N818 -- it reads as what happened, as FileNotFoundError's kin do
    """Something a person wrote cannot be used; the message names the piece and the mend."""
