"""The agent's operational errors, named for what the caller does with them."""


class AgentError(Exception):
    """Anything that this agent reports to a person. The text is a whole sentence."""

    exit_code = 2


class Rejected(AgentError):
    """The other side, or this site, said no; trying again as it stands cannot help."""

    exit_code = 3


class Revoked(Rejected):
    """The controller has revoked this agent for good: it must not go on."""


class UnknownBase(AgentError):
    """An assignment changes a revision that this agent does not run: it has to come whole."""


class Unreachable(AgentError):
    """The other side could not be reached; trying again later may help."""

    exit_code = 3


class BadInput(AgentError):
    """A file or an argument is wrong."""


class Fatal(AgentError):
    """This process cannot go on."""

    exit_code = 3
