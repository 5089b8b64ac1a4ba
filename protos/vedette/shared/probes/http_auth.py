"""How an HTTP check says who asks: basic, a bearer token, or a token from OAuth2 client credentials."""

import re
from typing import Annotated, Final, Literal

from msgspec import Meta

from vedette.shared.limits import OAUTH_PARAMETERS_MAX, SECRET_CHARS_MAX, URL_CHARS_MAX
from vedette.shared.probes.host import shown_url, url_problem
from vedette.shared.probes.part import Finding, Part

Secret = Annotated[str, Meta(max_length=SECRET_CHARS_MAX)]
Named = Annotated[str, Meta(min_length=1, max_length=SECRET_CHARS_MAX)]

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_GRANT: Final = frozenset({"grant_type", "scope", "client_id", "client_secret"})


class BasicAuth(Part, frozen=True):
    """A user name and a password (RFC 7617)."""

    username: Secret
    password: Secret = ""


class OAuth2(Part, frozen=True):
    """Client credentials (RFC 6749, 4.4). The token is kept until shortly before it expires.

    It is fetched through the check's own TLS trust, resolver, proxy and the site's policy, before the
    phases are timed. `client_auth` says where the endpoint wants the client's name and secret.
    """

    token_url: Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX)]
    client_id: Named
    client_secret: Secret
    scopes: Annotated[tuple[Named, ...], Meta(max_length=OAUTH_PARAMETERS_MAX)] = ()
    parameters: Annotated[dict[str, Secret], Meta(max_length=OAUTH_PARAMETERS_MAX)] = {}
    client_auth: Literal["basic", "body"] = "basic"


class Auth(Part, frozen=True):
    """One of the ways to say who asks. Sent to the check's own origin only, never after a redirect away."""

    basic: BasicAuth | None = None
    bearer: Named | None = None
    oauth2: OAuth2 | None = None

    def problems(self) -> list[Finding]:
        """What is wrong between its fields."""
        ways = {"basic": self.basic, "bearer": self.bearer, "oauth2": self.oauth2}
        chosen = [name for name, way in ways.items() if way is not None]
        if len(chosen) != 1:
            return [((), f"exactly one of {', '.join(ways)}", " and ".join(chosen) or "none")]
        if self.basic is not None:
            return _basic_problems(self.basic)
        if self.oauth2 is not None:
            return _oauth2_problems(self.oauth2)
        if self.bearer is not None and not _TOKEN.fullmatch(self.bearer):
            expected = "a token of printable ASCII characters without spaces"
            return [(("bearer",), expected, "another character")]
        return []


def _basic_problems(basic: BasicAuth) -> list[Finding]:
    found: list[Finding] = []
    if ":" in basic.username and "${secret:" not in basic.username:
        found.append((("basic", "username"), "a user name without a colon", "a colon"))
    for name, text in (("username", basic.username), ("password", basic.password)):
        if _CONTROL.search(text):
            found.append((("basic", name), "text without control characters", "one of them"))
    return found


def _oauth2_problems(oauth2: OAuth2) -> list[Finding]:
    found: list[Finding] = []
    if wrong := url_problem(oauth2.token_url):
        found.append((("oauth2", "token_url"), wrong, repr(shown_url(oauth2.token_url))))
    for place, scope in enumerate(oauth2.scopes):
        if not _SCOPE.fullmatch(scope):
            expected = 'a scope without spaces, " and \\'
            found.append((("oauth2", "scopes", place), expected, repr(scope)))
    for name in sorted(_GRANT & set(oauth2.parameters)):
        expected = "a parameter that the grant does not set itself"
        found.append((("oauth2", "parameters", name), expected, name))
    return found
