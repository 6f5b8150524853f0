"""What can go wrong in a way that a user can mend.

Every message is one sentence that names the file (or the setting), what was found and what is
needed. The command line prints it and exits with 1; the panels show it in a message box. Anything
else that escapes from the library is a bug of ours and keeps its traceback.
"""


class SkullGANError(Exception):
    """A problem that the user can act on; ``str(error)`` is the sentence to show."""


class BadInputError(SkullGANError):
    """A file or a value given to us is not what is needed."""


class OutputError(SkullGANError):
    """A result cannot be written where it was asked for."""


class CancelledError(SkullGANError):
    """The work was ended on request; what was finished before is kept (exit code 2)."""
