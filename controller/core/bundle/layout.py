"""Where everything stands in a bundle. Nothing else may stand there.

```
README.txt  verify.sh                        what to do, and a checker that needs sh, openssl and coreutils
MANIFEST.note                                SHA-256 of every other file but the three below, signed by the log
report.html  report.pdf  PAPER.note          the same for people; bound to the manifest by a note of the log, and no evidence
claim.note  claim.tlog-proof                 what the bundle says, signed by the log and entered in it
keys/log.pem  keys/<agent>.pem               public keys, to be compared with those in the annex
streams/<agent>/<epoch>/<stream>/<seal>.note    and .jsonl: seals and the exact lines under them
streams/<agent>/<epoch>/<stream>/tip.tlog-proof that the last of them is in the log; <seal>.tlog-proof before a gap
checkpoints/<size>                           heads of the log, signed
consistency/<size>-<size>.proof              that each begins with the one before
config/<leaf>.note  config/<leaf>.tlog-proof what was in force: files, checks, exclusions, enrolments, each in the log
config/<leaf>.json                           the definition that a revision of a check put in force
timestamps/<size>.<authority>.tsr            words of authorities outside (RFC 3161); .tsq: what they were asked,
                                             .pem: the root certificate that was pinned for them
fleet.yaml  timeline.json  attainment.json  results.jsonl
```
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

README: Final = "README.txt"
SCRIPT: Final = "verify.sh"
MANIFEST: Final = "MANIFEST.note"
PAPER: Final = "PAPER.note"
REPORT_HTML: Final = "report.html"
REPORT_PDF: Final = "report.pdf"
CLAIM: Final = "claim.note"
CLAIM_PROOF: Final = "claim.tlog-proof"
LOG_KEY: Final = "keys/log.pem"
FLEET: Final = "fleet.yaml"
TIMELINE: Final = "timeline.json"
ATTAINMENT: Final = "attainment.json"
RESULTS: Final = "results.jsonl"
TIP_PROOF: Final = "tip.tlog-proof"
_PLAIN: Final = frozenset(
    {
        README, SCRIPT, MANIFEST, CLAIM, CLAIM_PROOF, LOG_KEY, FLEET, TIMELINE, ATTAINMENT, RESULTS,
        PAPER, REPORT_HTML, REPORT_PDF,
    }
)  # fmt: skip
_PART: Final = r"[a-z0-9@][a-z0-9._-]{0,63}"
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"keys/{_PART}\.pem",
        rf"streams/{_PART}/[A-Za-z0-9]{{1,32}}/{_PART}/(?:[0-9]{{8}}\.(?:note|jsonl|tlog-proof)|tip\.tlog-proof)",
        r"checkpoints/[0-9]{1,19}",
        r"consistency/[0-9]{1,19}-[0-9]{1,19}\.proof",
        r"config/[0-9]{1,19}\.(?:note|tlog-proof|json)",
        rf"timestamps/[0-9]{{1,19}}\.{_PART}\.(?:tsr|tsq|pem)",
    )
)


class Bundle(Protocol):
    """The files of a bundle: a folder or a zip."""

    def names(self) -> list[str]:
        """Every file, with '/' between folders, sorted."""
        ...

    def has(self, name: str) -> bool:
        """That file is there."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file. KeyError if it is not there."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """The same in pieces, as it is read. KeyError if it is not there."""
        ...


class Stream(NamedTuple):
    """A stream of an agent, as folders name it."""

    agent: str
    epoch: str
    stream: str

    @property
    def folder(self) -> str:
        """Where its seals and lines stand."""
        return f"streams/{self.agent}/{self.epoch}/{self.stream}"

    def note(self, number: int) -> str:
        """The file of a seal."""
        return f"{self.folder}/{number:08}.note"

    def lines(self, number: int) -> str:
        """The file of the lines under it."""
        return f"{self.folder}/{number:08}.jsonl"

    @property
    def tip_proof(self) -> str:
        """The file of the proof that its last seal is in the log."""
        return f"{self.folder}/{TIP_PROOF}"

    def proof(self, number: int) -> str:
        """The file of the same proof of a seal after which others never came."""
        return f"{self.folder}/{number:08}.tlog-proof"


def stamp_file(size: int, authority: str, kind: str) -> str:
    """The file of an authority's word on a head: `tsr`; of what it was asked: `tsq`; of its root: `pem`."""
    return f"timestamps/{size}.{authority}.{kind}"


def agent_key(agent: str) -> str:
    """The file of an agent's public key."""
    return f"keys/{agent}.pem"


def config_note(leaf: int) -> str:
    """The file of a leaf that was in force."""
    return f"config/{leaf}.note"


def config_proof(leaf: int) -> str:
    """The file of the proof that it is in the log."""
    return f"config/{leaf}.tlog-proof"


def config_definition(leaf: int) -> str:
    """The file of the definition that it put in force, if it is the revision of a check."""
    return f"config/{leaf}.json"


def is_of_lines(name: str) -> bool:
    """A file of that name holds the lines under a seal."""
    return name.startswith("streams/") and name.endswith(".jsonl")


def belongs(name: str) -> bool:
    """A file of that name may stand in a bundle. Names that lead out of it do not."""
    return name in _PLAIN or any(pattern.fullmatch(name) for pattern in _PATTERNS)
