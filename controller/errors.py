"""The controller's operational errors, named for what the caller does with them."""


class ControllerError(Exception):
    """Anything that is reported to a person. The text is a whole sentence."""

    exit_code = 2


class BadInput(ControllerError):
    """A file, an argument or a request is wrong."""


class NotFound(ControllerError):
    """The thing that was named is not there."""


class Rejected(ControllerError):
    """The other side said no."""

    exit_code = 3


class Revoked(Rejected):
    """The agent was revoked: it is not to come again."""


class Unauthenticated(Rejected):
    """The caller did not show who it is, or what it showed is not accepted."""


class Unreachable(ControllerError):
    """The other side could not be reached; trying again later may help."""

    exit_code = 3


class Unstorable(ControllerError):
    """The database does not take this, and will not the next time either: a fault of ours."""

    exit_code = 3


class Fatal(ControllerError):
    """This process cannot go on."""

    exit_code = 3


class Unsynced(Fatal):
    """The disk did not confirm what was written: what it holds is known again only after a start."""
