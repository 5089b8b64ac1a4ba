"""Which version this is."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The version of this distribution."""
    try:
        return version("vedette")
    except PackageNotFoundError:
        return "unknown"
