"""What somebody holds of a log: heads in an older bundle, in a file of their own, or in what an agent remembers."""

import zipfile
from pathlib import Path

from controller.cli.evidence.bundle_files import opened_bundle
from controller.cli.evidence.head_file import head_note
from controller.core.bundle.log import heads, opened_head
from controller.core.bundle.since import Held
from controller.core.bundle.statements import Broken
from controller.errors import BadInput
from vedette.shared.checkpoint import BadCheckpoint, Checkpoint, parsed_checkpoint
from vedette.shared.note import BadNote, Verifier, parsed_note


def held_heads(path: Path, log: Verifier) -> Held:
    """The heads that `path` holds, each signed by that log. BadInput if there is none, or one is not."""
    try:
        if _is_bundle(path):
            with opened_bundle(path) as files:
                found = heads(files, log)
        else:
            found = [opened_head(head_note(path), log, "its head")]
    except Broken as error:
        raise BadInput(f"{path} holds no history of the log {log.name}: {error}.") from error
    if not found:
        raise BadInput(f"Expected heads of a log in checkpoints/ of {path}, found none.")
    return Held(str(path), found)


def newest_head(path: Path) -> Checkpoint:
    """The largest head that `path` holds, whoever signed it: to ask for a proof from there. BadInput if there is none."""
    if not _is_bundle(path):
        return _unverified(path, head_note(path))
    try:
        with opened_bundle(path) as files:
            names = [name for name in files.names() if name.startswith("checkpoints/")]
            found = [_unverified(path, files.read(name)) for name in names]
    except Broken as error:
        raise BadInput(f"{path}: {error}.") from error
    if not found:
        raise BadInput(f"Expected heads of a log in checkpoints/ of {path}, found none.")
    return max(found, key=lambda one: one.size)


def _is_bundle(path: Path) -> bool:
    return path.is_dir() or zipfile.is_zipfile(path)


def _unverified(path: Path, note: bytes) -> Checkpoint:
    try:
        text = parsed_note(note).text.decode()
        return parsed_checkpoint(text, text.partition("\n")[0])
    except (BadNote, BadCheckpoint) as error:
        raise BadInput(
            f"Expected a bundle or a signed head of a log in {path}: {error}."
        ) from error
