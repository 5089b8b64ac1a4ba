"""Whether apprise takes an address, and whether what is private in it stands in the file."""

import logging
import re
from typing import Any, Final

from controller.core.channels import PLACEHOLDER, sketched

EXPECTED: Final = "an address that apprise takes, such as mailto://... or slack://..."
_PRIVATE: Final = (
    "${secret:NAME} in place of what is private in the address (`vedette secret set NAME` takes it)"
)
_PARTS: Final = re.compile(r"[/:@?&=,#]+")


def address_finding(url: str) -> tuple[str, str] | None:
    """(expected, found) if an address cannot stand in a fleet file; shows nothing private.

    An address that is a secret as a whole is looked at when it is used. With secrets in it, services that
    demand a certain form of them cannot be asked: there it must only be one that apprise knows.
    """
    sketch = sketched(url)
    if sketch is None:
        return None
    # Apprise takes some 40 MB; who needs none of it does not load it.
    import apprise

    logging.getLogger("apprise").propagate = False
    scheme = sketch.partition("://")[0].lower()
    if "://" not in sketch or scheme not in _schemes():
        return EXPECTED, f"the scheme {scheme[:30]!r}" if "://" in sketch else "no scheme"
    service: Any = apprise.Apprise.instantiate(sketch, asset=apprise.AppriseAsset())
    if service is None:
        has_secrets = PLACEHOLDER in sketch
        return None if has_secrets else (EXPECTED, f"one of {scheme}:// that it refuses")
    plain, private = str(service.url(privacy=False)), str(service.url(privacy=True))
    hidden = set(_PARTS.split(plain)) - set(_PARTS.split(private))
    if any(part and PLACEHOLDER not in part for part in hidden):
        return _PRIVATE, private.partition("?")[0]
    return None


def _schemes() -> frozenset[str]:
    """Every scheme that apprise knows."""
    import apprise

    manager: Any = apprise.manager_plugins.NotificationManager
    return frozenset(manager().schemas())
