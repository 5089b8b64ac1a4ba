"""Who may call what: one table, and what does not stand in it is denied."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is to this controller."""

    ADMIN = "admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    COUNTERPARTY = "counterparty"


_ALL: Final = frozenset(Role)
_ADMIN: Final = frozenset({Role.ADMIN})
_STAFF: Final = frozenset({Role.ADMIN, Role.OPERATOR})
# Auditors see everything and change nothing but that they hold evidence, or only the contracts that their token
# names. A counterparty always sees no more than those.
_READERS: Final = _STAFF | {Role.AUDITOR}
_PARTIES: Final = _READERS | {Role.COUNTERPARTY}
_AUDITORS: Final = frozenset({Role.ADMIN, Role.AUDITOR})

# Methods that are called without a token: the request itself proves what it needs to.
NO_TOKEN: Final[frozenset[Role] | None] = None

METHOD_ROLES: Final[Mapping[str, frozenset[Role] | None]] = {
    "/vedette.v1.EnrolService/Challenge": NO_TOKEN,
    "/vedette.v1.EnrolService/Enrol": NO_TOKEN,
    "/vedette.v1.EnrolService/ChallengeRecovery": NO_TOKEN,
    "/vedette.v1.EnrolService/Recover": NO_TOKEN,
    "/vedette.v1.AccessService/WhoAmI": _ALL,
    "/vedette.v1.AccessService/CreateToken": _ADMIN,
    "/vedette.v1.AccessService/ListTokens": _ADMIN,
    "/vedette.v1.AccessService/RevokeToken": _ADMIN,
    "/vedette.v1.AccessService/ListAudit": _AUDITORS,
    "/vedette.v1.AgentService/ListAgents": _READERS,
    "/vedette.v1.AgentService/CreateJoinToken": _STAFF,
    "/vedette.v1.AgentService/ApproveAgent": _ADMIN,
    "/vedette.v1.AgentService/RevokeAgent": _STAFF,
    "/vedette.v1.AgentService/ListAlarms": _READERS,
    "/vedette.v1.AgentService/ClearAlarms": _STAFF,
    "/vedette.v1.AgentService/GetAgent": _READERS,
    "/vedette.v1.AgentService/LabelAgent": _ADMIN,
    "/vedette.v1.AgentService/SetAgentMode": _STAFF,
    "/vedette.v1.AgentService/ListNotices": _READERS,
    "/vedette.v1.SecretService/SetSecret": _ADMIN,
    "/vedette.v1.SecretService/ListSecrets": _STAFF,
    "/vedette.v1.SecretService/DeleteSecret": _ADMIN,
    "/vedette.v1.FleetService/Plan": _STAFF,
    "/vedette.v1.FleetService/Apply": _ADMIN,
    "/vedette.v1.FleetService/Export": _READERS,
    "/vedette.v1.FleetService/ListChecks": _READERS,
    "/vedette.v1.FleetService/ProbeNow": _STAFF,
    "/vedette.v1.BacktestService/Backtest": _READERS,
    "/vedette.v1.OutageService/ListOutages": _READERS,
    "/vedette.v1.OutageService/GetOutage": _READERS,
    "/vedette.v1.OutageService/ShowOutage": _READERS,
    "/vedette.v1.OutageService/GetOutageHistory": _READERS,
    "/vedette.v1.OutageService/AckOutage": _STAFF,
    "/vedette.v1.OutageService/AnnotateOutage": _STAFF,
    "/vedette.v1.OutageService/PauseOutage": _STAFF,
    "/vedette.v1.OutageService/ResumeOutage": _STAFF,
    "/vedette.v1.NotifyService/ListDeliveries": _READERS,
    "/vedette.v1.NotifyService/GetDelivery": _READERS,
    "/vedette.v1.NotifyService/RetryDelivery": _STAFF,
    "/vedette.v1.NotifyService/DropDelivery": _STAFF,
    "/vedette.v1.NotifyService/TestChannel": _STAFF,
    "/vedette.v1.IncidentService/ListIncidents": _READERS,
    "/vedette.v1.IncidentService/GetIncident": _READERS,
    "/vedette.v1.DoctorService/Examine": _READERS,
    "/vedette.v1.SlaService/GetStatus": _PARTIES,
    "/vedette.v1.SlaService/GetReport": _PARTIES,
    "/vedette.v1.SlaService/ListPeriods": _PARTIES,
    "/vedette.v1.SlaService/SealReport": _ADMIN,
    "/vedette.v1.ExclusionService/DeclareExclusion": _STAFF,
    "/vedette.v1.ExclusionService/ImportExclusions": _STAFF,
    "/vedette.v1.ExclusionService/ApproveExclusion": _STAFF,
    "/vedette.v1.ExclusionService/WithdrawExclusion": _STAFF,
    "/vedette.v1.ExclusionService/ListExclusions": _READERS,
    "/vedette.v1.ExclusionService/GetExclusion": _READERS,
    "/vedette.v1.EvidenceService/ListTimestamps": _PARTIES,
    "/vedette.v1.EvidenceService/ListStreams": _READERS,
    "/vedette.v1.EvidenceService/GetAnnex": _PARTIES,
    "/vedette.v1.EvidenceService/ExportBundle": _PARTIES,
    "/vedette.v1.DisputeService/PlaceHold": _READERS,
    "/vedette.v1.DisputeService/LiftHold": _STAFF,
    "/vedette.v1.DisputeService/ListHolds": _READERS,
    "/vedette.v1.DisputeService/AddCounter": _PARTIES,
    "/vedette.v1.DisputeService/ListCounters": _PARTIES,
    "/vedette.v1.ClaimService/CreateClaim": _STAFF,
    "/vedette.v1.ClaimService/ListClaims": _PARTIES,
    "/vedette.v1.ClaimService/GetClaim": _READERS,
    "/vedette.v1.ClaimService/GetClaimFile": _READERS,
    "/vedette.v1.ClaimService/MoveClaim": _STAFF,
}
# What shows nothing of any contract, so that a token for some contracts is good for it. Of other methods such a
# token may call those whose request names one of its contracts.
_OF_NO_CONTRACT: Final = frozenset(
    {
        "/vedette.v1.AccessService/WhoAmI",
        "/vedette.v1.EvidenceService/ListTimestamps",
        "/vedette.v1.EvidenceService/GetAnnex",
    }
)
# Roles whose tokens may be for some contracts only, and the one whose must be.
SCOPED_ROLES: Final = frozenset({Role.AUDITOR, Role.COUNTERPARTY})
ALWAYS_SCOPED: Final = Role.COUNTERPARTY
_NOBODY: Final[frozenset[Role]] = frozenset()


def is_open(method: str) -> bool:
    """`method` (full name, `/package.Service/Method`) is called without a person's token."""
    return method in METHOD_ROLES and METHOD_ROLES[method] is NO_TOKEN


def roles_of(method: str) -> frozenset[Role]:
    """The roles that may call `method` with a token; none for a method that is not in the table."""
    return METHOD_ROLES.get(method, _NOBODY) or _NOBODY


def is_of_no_contract(method: str) -> bool:
    """What `method` answers is about no contract in particular."""
    return method in _OF_NO_CONTRACT
