"""What the controller assigned, read; what of it this agent cannot run; and what changed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from agent.core.secrets import secret_names
from agent.errors import UnknownBase
from agent.ports import AssignedCheck, Assignment, Unrunnable
from vedette.shared.definitions import Check, decode_check, digest_of, findings
from vedette.shared.documents import path_text
from vedette.shared.expectations import problems_of_expectations


@dataclass(frozen=True, slots=True)
class Assigned:
    """A check of the assignment in the revision that was assigned."""

    check: Check
    digest: str


@dataclass(frozen=True, slots=True)
class Program:
    """An assignment as this agent runs it: checks by id, and those it will not run with the reason."""

    revision: str = ""
    checks: Mapping[str, Assigned] = field(default_factory=dict)
    unrunnable: tuple[Unrunnable, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of the checks that came, changed and went between two programs."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def whole(change: Assignment, base: Assignment) -> Assignment:
    """The assignment that `change` makes of `base`.

    UnknownBase if it was made for another one: the controller then has to send it whole.
    """
    if not change.base:
        return change
    if change.base != base.revision:
        raise UnknownBase(
            f"Assignment {change.revision[:12]} changes {change.base[:12]}, and"
            f" {base.revision[:12] or 'none'} is being run."
        )
    gone = {*change.removed, *(part.digest for part in change.checks)}
    kept = (part for part in base.checks if part.digest not in gone)
    checks = tuple(sorted((*kept, *change.checks), key=lambda part: part.digest))
    return replace(change, checks=checks, base="", removed=())


def program_of(
    assignment: Assignment, region: str, can_probe: Collection[str], held: Collection[str] = ()
) -> Program:
    """What of `assignment` an agent of `region` that can run the probe kinds `can_probe` will run.

    `held` are the names of the secrets that it holds.

    Never raises for what the controller sent: a definition that this version cannot read is unrunnable,
    and the rest runs.
    """
    checks: dict[str, Assigned] = {}
    unrunnable: list[Unrunnable] = []
    for part in assignment.checks:
        try:
            check = decode_check(part.definition)
        except ValueError as error:
            reason = f"this agent cannot read the definition: {error}"
            unrunnable.append(Unrunnable(part.digest[:12], reason))
            continue
        wrong = _wrong(check, part, region)
        if wrong is None:
            wrong = unrunnable_reason(check, can_probe, held)
        if wrong is None and check.id in checks:
            wrong = "the assignment holds it twice; the first one runs"
        if wrong is None:
            checks[check.id] = Assigned(check, part.digest)
        else:
            unrunnable.append(Unrunnable(check.id, wrong))
    return Program(assignment.revision, checks, tuple(unrunnable))


def difference(old: Program, new: Program) -> Difference:
    """What `new` changes against `old`."""
    return Difference(
        added=tuple(sorted(set(new.checks) - set(old.checks))),
        changed=tuple(
            sorted(
                c
                for c in set(new.checks) & set(old.checks)
                if new.checks[c].digest != old.checks[c].digest
            )
        ),
        removed=tuple(sorted(set(old.checks) - set(new.checks))),
    )


def unrunnable_reason(
    check: Check, can_probe: Collection[str], held: Collection[str] = ()
) -> str | None:
    """Why an agent with these kinds of probe and secrets cannot run `check`; None if it can."""
    problems = [*findings(check), *problems_of_expectations(check)]
    if problems:
        return "; ".join(
            f"{path_text(path)}: expected {expected}, found {found}"
            for path, expected, found in problems[:3]
        )
    if check.kind not in can_probe:
        return f"this agent cannot run {check.kind} probes ({_named(can_probe)} only)"
    secrets = sorted(secret_names(check) - set(held))
    if secrets:
        return f"this agent does not hold the secret {', '.join(secrets)}"
    return None


def _wrong(check: Check, part: AssignedCheck, region: str) -> str | None:
    if digest_of(part.definition) != part.digest:
        return "its digest is not that of its definition"
    if isinstance(check.regions, list) and region not in check.regions:
        return f"it is not for region {region} ({_named(check.regions)})"
    return None


def _named(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
