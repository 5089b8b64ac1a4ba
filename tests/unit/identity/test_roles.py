from importlib import import_module

import pytest

from controller.identity.roles import METHOD_ROLES, Role, is_of_no_contract, is_open, roles_of

PEOPLES_MODULES = [
    "access", "backtest", "claim", "dispute", "doctor", "enrol", "evidence", "exclusion", "fleet", "incident", "notify", "outage",
    "secret", "sla",
]  # fmt: skip


def served_methods() -> list[str]:
    """The full name of every RPC of the people's listener, from the generated descriptors."""
    return [
        f"/{service.full_name}/{method.name}"
        for name in PEOPLES_MODULES
        for service in import_module(f"vedette.v1.{name}_pb2").DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def request_fields(method: str) -> set[str]:
    """The names of the fields of its request."""
    service, name = method.strip("/").split("/")
    for module in PEOPLES_MODULES:
        described = import_module(f"vedette.v1.{module}_pb2").DESCRIPTOR.services_by_name
        if (found := described.get(service.rsplit(".", 1)[-1])) is not None:
            return set(found.methods_by_name[name].input_type.fields_by_name)
    raise AssertionError(method)


def test_every_rpc_has_a_row() -> None:
    assert set(served_methods()) == set(METHOD_ROLES)


def test_no_proto_file_of_the_people_is_forgotten() -> None:
    from pathlib import Path

    import vedette.v1

    files = {p.stem.removesuffix("_pb2") for p in Path(vedette.v1.__path__[0]).glob("*_pb2.py")}
    assert files - {"session"} == set(PEOPLES_MODULES)


def test_what_is_not_in_the_table_is_denied() -> None:
    assert roles_of("/vedette.v1.FleetService/Burn") == frozenset()
    assert not is_open("/vedette.v1.FleetService/Burn")
    assert not is_open("/vedette.v1.SessionService/Connect")


def test_what_is_of_no_contract_stands_in_the_table_and_is_for_everyone() -> None:
    free = {method for method in METHOD_ROLES if is_of_no_contract(method)}
    assert len(free) == 3
    assert all(roles_of(method) == frozenset(Role) for method in free)


def test_what_a_counterparty_may_call_names_a_contract_or_is_of_none() -> None:
    for method in METHOD_ROLES:
        if Role.COUNTERPARTY in roles_of(method) and not is_of_no_contract(method):
            assert "contract" in request_fields(method), method


def test_only_enrolment_needs_no_token() -> None:
    assert {m for m in METHOD_ROLES if is_open(m)} == {
        "/vedette.v1.EnrolService/Challenge",
        "/vedette.v1.EnrolService/Enrol",
        "/vedette.v1.EnrolService/ChallengeRecovery",
        "/vedette.v1.EnrolService/Recover",
    }


@pytest.mark.parametrize(
    ("method", "denied"),
    [
        ("/vedette.v1.FleetService/Apply", {Role.OPERATOR, Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.AgentService/CreateJoinToken", {Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.AgentService/RevokeAgent", {Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.AgentService/ApproveAgent", set(Role) - {Role.ADMIN}),
        ("/vedette.v1.AccessService/CreateToken", set(Role) - {Role.ADMIN}),
        ("/vedette.v1.AccessService/RevokeToken", set(Role) - {Role.ADMIN}),
        ("/vedette.v1.AccessService/ListAudit", {Role.OPERATOR, Role.COUNTERPARTY}),
        ("/vedette.v1.SecretService/SetSecret", set(Role) - {Role.ADMIN}),
        ("/vedette.v1.SecretService/ListSecrets", {Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.FleetService/ProbeNow", {Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.OutageService/ListOutages", {Role.COUNTERPARTY}),
        ("/vedette.v1.SlaService/GetStatus", set()),
        ("/vedette.v1.ClaimService/MoveClaim", {Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.DisputeService/PlaceHold", {Role.COUNTERPARTY}),
        ("/vedette.v1.DisputeService/LiftHold", {Role.AUDITOR, Role.COUNTERPARTY}),
        ("/vedette.v1.DisputeService/AddCounter", set()),
        ("/vedette.v1.DoctorService/Examine", {Role.COUNTERPARTY}),
        ("/vedette.v1.AccessService/WhoAmI", set()),
    ],
)
def test_roles_get_what_their_work_needs(method: str, denied: set[Role]) -> None:
    assert roles_of(method) == frozenset(Role) - denied
