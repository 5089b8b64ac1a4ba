"""SecretService: values go in, names and versions come out."""

import logging
from dataclasses import dataclass

from controller.ports.storage import Worker
from controller.rpc.gate import caller
from controller.rpc.sessions import Sessions
from controller.rpc.status import Context
from controller.services.agents.secrets import Secrets, SecretStatus
from vedette.v1 import secret_pb2 as pb
from vedette.v1 import secret_pb2_grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecretServicer(secret_pb2_grpc.SecretServiceServicer):
    """Sets, lists and deletes; agents get what changed at once."""

    worker: Worker
    secrets: Secrets
    sessions: Sessions

    async def SetSecret(  # noqa: N802 - gRPC's name
        self, request: pb.SetSecretRequest, context: Context
    ) -> pb.SetSecretResponse:
        """Keep a value, sealed, as the next version."""
        actor = caller().actor
        secret, agents = await self.worker.run(
            lambda: self.secrets.set(
                request.name, request.value, actor, agents_only=request.agents_only
            )
        )
        self.sessions.refresh_assignments()
        fields = {"secret": secret.name, "version": secret.version, "by": actor.name}
        log.info("secret.set", extra=fields)
        return pb.SetSecretResponse(version=secret.version, agents=agents)

    async def ListSecrets(  # noqa: N802 - gRPC's name
        self, request: pb.ListSecretsRequest, context: Context
    ) -> pb.ListSecretsResponse:
        """Names, versions, and who has a copy."""
        found = await self.worker.run(self.secrets.list)
        return pb.ListSecretsResponse(secrets=[_secret(status) for status in found])

    async def DeleteSecret(  # noqa: N802 - gRPC's name
        self, request: pb.DeleteSecretRequest, context: Context
    ) -> pb.DeleteSecretResponse:
        """Forget every copy here; agents forget theirs with their next assignment."""
        actor = caller().actor
        await self.worker.run(lambda: self.secrets.delete(request.name, actor))
        self.sessions.refresh_assignments()
        log.info("secret.deleted", extra={"secret": request.name, "by": actor.name})
        return pb.DeleteSecretResponse()


def _secret(status: SecretStatus) -> pb.Secret:
    secret = status.secret
    return pb.Secret(
        name=secret.name,
        version=secret.version,
        set_us=secret.set_us,
        set_by=secret.set_by,
        agents_only=secret.agents_only,
        agents=status.agents,
        lacking=status.lacking,
    )
