"""Where the agent keeps its state, and what its site agrees to probe."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
import yaml

from agent.core.policy import Policy, network_of
from agent.core.terms import PortRange, Rate, Rates, Sizes, Terms
from agent.errors import BadInput
from vedette.shared.definitions import KINDS
from vedette.shared.documents import BadDocument, Document, Problem, convert, parse
from vedette.shared.identity import label_problem
from vedette.shared.limits import CHECKS_MAX, LABELS_MAX, SITE_CHECKS_MAX

STATE_VARIABLE: Final = "VEDETTE_AGENT_STATE"
POLICY_FILE: Final = "policy.yaml"
LABELS_FILE: Final = "labels.json"
SPOOL_DIRECTORY: Final = "spool"
ASSIGNMENT_FILE: Final = "assignment.json"
CLOCK_FILE: Final = "clock.json"

_HEAD: Final = b"""\
# What this site agrees to probe, besides public addresses. The controller cannot change it.
# `deny` is stronger than `allow`. The agent reads it when it starts, on SIGHUP, and when it changes.
# `paused: true` stops all probing. Every key is explained in docs/operations.md.
"""
_SIZE: Final = re.compile(r"([0-9]{1,12})(|K|M)(?:i?B)?")
_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2}
_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_NETWORK_EXPECTED: Final = "a network such as 10.0.0.0/8"

T = TypeVar("T")
Amount = int | str


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the file: a key that it does not know is refused."""


class _Ports(_Strict, frozen=True):
    allow: list[Amount] = []
    deny: list[Amount] = []


class _Rates(_Strict, frozen=True):
    total: str | None = None
    target: str | None = None
    address: str | None = None


class _Sizes(_Strict, frozen=True):
    response_body: Amount | None = None
    request_body: Amount | None = None
    icmp_payload: Amount | None = None
    icmp_count: int | None = None


class _PolicyFile(_Strict, frozen=True):
    """`policy.yaml`."""

    allow: list[str] = []
    deny: list[str] = []
    ports: _Ports = _Ports()
    methods: list[str] | None = None
    kinds: list[str] | None = None
    rates: _Rates = _Rates()
    sizes: _Sizes = _Sizes()
    checks: Annotated[int, msgspec.Meta(ge=0, le=CHECKS_MAX)] = SITE_CHECKS_MAX
    paused: bool = False


def default_state() -> Path:
    """The state directory where none is named: $VEDETTE_AGENT_STATE, or one under the user's home."""
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named)
    try:
        return Path.home() / ".local" / "state" / "vedette-agent"
    except RuntimeError as error:
        raise BadInput(
            f"There is no home directory to keep the agent's state in: name a directory with --state or "
            f"${STATE_VARIABLE}."
        ) from error


def site_policy(state: Path) -> Policy:
    """The policy of the site whose state this is; without a file, public addresses only.

    BadInput names file, line and path of everything that is wrong: an agent must not run on a policy
    that its owner did not mean.
    """
    path = state / POLICY_FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        document = parse(text, str(path))
        written, problems = convert(document, (), document.data, _PolicyFile)
        if written is None:
            raise BadDocument(problems)
        reading = _Reading(document, problems)
        policy = reading.policy(written)
        if problems:
            raise BadDocument(problems)
    except BadDocument as error:
        raise BadInput(str(error)) from error
    return policy


@dataclass(frozen=True, slots=True)
class _Reading:
    """From what is written to what it means; what means nothing goes to `problems`."""

    document: Document
    problems: list[Problem]

    def policy(self, written: _PolicyFile) -> Policy:
        sizes, rates = Sizes(), Rates()
        terms = Terms(
            kinds=self._kinds(written.kinds),
            ports_allowed=self._each(("ports", "allow"), written.ports.allow, PortRange.of),
            ports_denied=self._each(("ports", "deny"), written.ports.deny, PortRange.of),
            methods=self._methods(written.methods),
            sizes=Sizes(
                self._size("response_body", written.sizes.response_body, sizes.response_body_bytes),
                self._size("request_body", written.sizes.request_body, sizes.request_body_bytes),
                self._size("icmp_payload", written.sizes.icmp_payload, sizes.icmp_payload_bytes),
                self._size("icmp_count", written.sizes.icmp_count, sizes.icmp_count),
            ),
            rates=Rates(
                self._rate("total", written.rates.total, rates.total),
                self._rate("target", written.rates.target, rates.target),
                self._rate("address", written.rates.address, rates.address),
            ),
            checks_max=written.checks,
            is_paused=written.paused,
        )
        return Policy(
            self._each(("allow",), written.allow, network_of, _NETWORK_EXPECTED),
            self._each(("deny",), written.deny, network_of, _NETWORK_EXPECTED),
            terms,
        )

    def _each(
        self,
        path: tuple[str, ...],
        texts: Sequence[Any],
        meaning: Callable[[Any], T],
        expected: str | None = None,
    ) -> tuple[T, ...]:
        found = []
        for place, text in enumerate(texts):
            try:
                found.append(meaning(text))
            except ValueError as error:
                words = expected or _expected(error)
                self.problems.append(self.document.problem((*path, place), words, repr(text)))
        return tuple(found)

    def _kinds(self, written: list[str] | None) -> frozenset[str]:
        for place, kind in enumerate(written or ()):
            if kind not in KINDS:
                expected = f"one of {', '.join(KINDS)}"
                self.problems.append(self.document.problem(("kinds", place), expected, repr(kind)))
        return frozenset(KINDS if written is None else written)

    def _methods(self, written: list[str] | None) -> frozenset[str] | None:
        for place, method in enumerate(written or ()):
            if _METHOD.fullmatch(method) is None:
                expected = "a method in capital letters such as GET"
                path = ("methods", place)
                self.problems.append(self.document.problem(path, expected, repr(method)))
        return None if written is None else frozenset(written)

    def _size(self, key: str, written: Amount | None, most: int) -> int:
        """The amount that is written; more than an agent ever takes means nothing, and is cut to that."""
        match = None if written is None else _SIZE.fullmatch(str(written).strip())
        if written is not None and match is None:
            expected = "a number of bytes such as 512, 64K or 1M"
            self.problems.append(self.document.problem(("sizes", key), expected, repr(written)))
        return most if match is None else min(int(match[1]) * _UNITS[match[2]], most)

    def _rate(self, key: str, written: str | None, default: Rate) -> Rate:
        try:
            return default if written is None else Rate.of(written)
        except ValueError as error:
            problem = self.document.problem(("rates", key), _expected(error), repr(written))
            self.problems.append(problem)
            return default


def _expected(error: ValueError) -> str:
    """The part of one of our sentences that says what was expected."""
    return str(error).removeprefix("expected ").partition(", found ")[0]


def claimed_labels(state: Path) -> dict[str, str]:
    """What the site says of this agent, by `vedette-agent join --label`; nothing without such a file."""
    try:
        found = msgspec.json.decode((state / LABELS_FILE).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(f"{state / LABELS_FILE} cannot be read: {reason}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{state / LABELS_FILE}: expected labels as JSON, found something else ({error})."
        ) from error
    return {k: v for k, v in sorted(found.items())[:LABELS_MAX] if label_problem(k, v) is None}


def policy_stamp(state: Path) -> tuple[int, int, int] | None:
    """What tells two states of the policy file apart; None without one."""
    try:
        found = (state / POLICY_FILE).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def policy_text(allow: Sequence[str]) -> bytes:
    """A policy file that allows these networks. BadInput if one of them is none."""
    try:
        networks = [str(network_of(text)) for text in allow]
    except ValueError as error:
        raise BadInput(f"--allow: {error}.") from error
    return _HEAD + yaml.safe_dump({"allow": networks, "deny": []}, sort_keys=False).encode()
