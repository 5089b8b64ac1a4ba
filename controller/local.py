"""What is done on the controller's machine without a server: init, tokens, care of the database."""

import getpass
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from controller.clock import utc_now, wall_us
from controller.errors import BadInput, ControllerError, Fatal, Rejected
from controller.identity.authorities import authorities
from controller.identity.authority import (
    Credential,
    credential_from_pem,
    ends_us,
    fingerprint,
    new_issuing,
    new_root,
)
from controller.identity.files import ROOT_KEY, Settings, StateDirectory
from controller.identity.notary import log_verifier
from controller.identity.roles import Role
from controller.identity.stamp_check import StampCheck
from controller.ports.custody import Actor
from controller.services.evidence.fact_check import fact_faults
from controller.services.evidence.log_check import Progress, faults, no_progress
from controller.services.people.access import ADMIN_TOKEN_TTL_US, Access
from controller.services.results.export import exported
from controller.services.timeline.recompute import Recomputed, recomputed
from controller.storage import database
from controller.storage.damage import damages
from controller.storage.schema import State, advice
from vedette.shared.identity import agent_of_uri, agent_uri

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:.]{2,45}")
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Initialised:
    """What init made. The token is not kept anywhere."""

    ca_sha256: str
    root_key: Path
    database: str
    names: Sequence[str]
    admin_token: str = field(repr=False)
    admin_token_expires_us: int


def initialise(
    *,
    state: Path,
    database_url: str | None,
    names: Sequence[str],
    organisation: str,
    root_key: Path | None,
) -> Initialised:
    """Make a controller's identity, its database and the first admin token. Overwrites nothing."""
    refuse_bad_names(names, organisation)
    directory = StateDirectory(state)
    root_key = root_key or state / ROOT_KEY
    directory.prepare(root_key)
    settings = Settings(organisation, list(dict.fromkeys([*names, *_LOCAL_NAMES])))
    now = utc_now()
    root = new_root(organisation, now)
    issuing = new_issuing(root, organisation, now)
    url = database_url or directory.database_url
    with private_files(), _storage(url) as storage:
        token, expires_us = Access(storage, wall_us).create_token(
            "admin", Role.ADMIN, ADMIN_TOKEN_TTL_US, _local_actor()
        )
        directory.save_identity(settings, root, issuing, root_key)
    return Initialised(
        ca_sha256=fingerprint(root.certificate),
        root_key=root_key,
        database=database.shown(make_url(url)),
        names=settings.names,
        admin_token=token,
        admin_token_expires_us=expires_us,
    )


def create_person_token(
    *,
    state: Path,
    database_url: str | None,
    name: str,
    role: Role,
    ttl_us: int,
    contracts: Sequence[str] = (),
) -> tuple[str, int]:
    """(token, expiry) of a new token for a person, made in the database of this machine."""
    with _storage(_database_of(state, database_url)) as storage:
        return Access(storage, wall_us).create_token(
            name, role, ttl_us, _local_actor(), contracts=contracts
        )


def renew_issuing(*, state: Path, database_url: str | None, root_key: Path) -> tuple[str, int]:
    """Make the next issuing CA with the root key; (its SHA-256, when it ends).

    Rejected if the key is of another root. Neither the key nor a copy of it is kept.
    """
    directory = StateDirectory(state)
    settings, root = directory.settings(), directory.root()
    try:
        key_pem = root_key.read_bytes()
    except OSError as error:
        raise BadInput(f"Cannot read the root key {root_key}: {error.strerror}.") from error
    root_pem = Credential.pem_of(root)
    try:
        credential = credential_from_pem(root_pem, key_pem, str(root_key))
    except Fatal as error:
        raise Rejected(
            f"{root_key} does not hold the key of this controller's root ({fingerprint(root)[:16]}...)."
        ) from error
    now = utc_now()
    if root.not_valid_after_utc <= now:
        raise Rejected(f"The root CA ended on {root.not_valid_after_utc:%Y-%m-%d}: init anew.")
    issuing = new_issuing(credential, settings.organisation, now)
    with _storage(_database_of(state, database_url)) as storage:
        directory.save_issuing(issuing)
        with storage.transaction() as tx:
            name = fingerprint(issuing.certificate)
            tx.record(_local_actor().act(wall_us(), "ca.renew_issuing", name))
    return name, ends_us(issuing.certificate)


def _local_actor() -> Actor:
    """Whoever works on the folder itself: the user of this machine."""
    try:
        return Actor(getpass.getuser())
    except (OSError, KeyError):
        return Actor(f"uid {os.getuid()}")


def upgrade_database(state: Path, database_url: str | None) -> tuple[str | None, str]:
    """Bring the database to this version; the revisions before and after."""
    return database.upgrade(_database_of(state, database_url))


@dataclass(frozen=True, slots=True)
class CheckedDatabase:
    """How a database stands to this version, what to know and do, and what is damaged in it.

    Without a state nothing could be read of it.
    """

    state: State | None
    advice: str
    damages: Sequence[str] = ()

    @property
    def is_sound(self) -> bool:
        """It is of this version, and nothing was found."""
        return self.state is State.CURRENT and not self.damages


def check_database(
    state: Path, database_url: str | None, progress: Progress = no_progress
) -> CheckedDatabase:
    """Whether the database fits this version, and if it does, whether all of it is there and whole.

    `progress` is told how many leaves of the log of how many were read.
    """
    url = _database_of(state, database_url)
    try:
        found = database.check(url)
    except Fatal as error:
        return CheckedDatabase(None, "Stop the controller and restore a backup.", [str(error)])
    text = advice(found, database.shown(make_url(url)))
    if found is not State.CURRENT:
        return CheckedDatabase(found, text)
    directory = StateDirectory(state)
    log = log_verifier(directory, directory.settings().organisation)
    is_stamp = StampCheck.of(authorities(directory))
    with _storage(url) as storage:
        opens = storage.transaction
        wrong = [
            *_told(damages(storage)),
            *_told(faults(opens, log, stamp_fault=is_stamp, progress=progress)),
            *_told(fact_faults(opens)),
        ]
        return CheckedDatabase(found, text, wrong)


def _told(found: Iterator[str]) -> Iterator[str]:
    """What is found, up to where the database cannot be read any more, and why it cannot."""
    try:
        yield from found
    except ControllerError as error:
        yield str(error)
    except (TypeError, ValueError, AttributeError) as error:
        # SQLite keeps text where numbers belong, if somebody puts it there.
        yield (
            f"A value in the database is not of its kind ({error}): somebody changed it. What is behind it was not"
            " checked."
        )


def backup_database(state: Path, database_url: str | None, path: Path) -> None:
    """Copy a SQLite database to a new file."""
    with private_files():
        database.backup(_database_of(state, database_url), path)


def stored_lines(
    state: Path, database_url: str | None, *, set_aside: bool = False
) -> Iterator[bytes]:
    """Every result line that counts, or every one that was set aside, as `services.export` says."""
    with _storage(_database_of(state, database_url)) as storage:
        yield from exported(storage.transaction, set_aside=set_aside)


def pruned_lines(state: Path, database_url: str | None) -> int:
    """How many lines were pruned."""
    with _storage(_database_of(state, database_url)) as storage, storage.transaction() as tx:
        return sum(run.lines for _, run in tx.pruned())


def recompute_database(state: Path, database_url: str | None, checks: Sequence[str]) -> Recomputed:
    """Compare what is stored of checks with what their lines say. BadInput if there is no such check."""
    with _storage(_database_of(state, database_url)) as storage:
        with storage.transaction() as tx:
            known = {one.check for one in tx.check_revisions()}
        if unknown := sorted(set(checks) - known):
            raise BadInput(
                f"There is no check {unknown[0]!r}. There are: {', '.join(sorted(known)) or 'none'}."
            )
        return recomputed(storage.transaction, checks)


def _database_of(state: Path, database_url: str | None) -> str:
    directory = StateDirectory(state)
    if database_url is None:
        directory.settings()
    return database_url or directory.database_url


@contextmanager
def private_files() -> Iterator[None]:
    """Inside, files that others make for us (the database) are for their owner only, too."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _storage(url: str) -> Iterator[database.SqlStorage]:
    storage = database.open_storage(url)
    try:
        yield storage
    finally:
        storage.close()


def refuse_bad_names(names: Sequence[str], organisation: str) -> None:
    """BadInput unless these can stand in certificates."""
    if agent_of_uri(agent_uri(organisation, "a"), organisation) is None:
        raise BadInput(
            "Expected an organisation of lower-case letters, digits, '.' and '-', found"
            f" {organisation!r}."
        )
    for name in names:
        if _HOST_NAME.fullmatch(name) is None:
            raise BadInput(f"Expected a host name or an IP address, found {name!r}.")
