"""The secrets that this agent holds, opened in memory, and probers that use them without showing them."""

import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from agent.core.secrets import Mask, Secret, Unusable, revealed, secret_names
from agent.ports import Observation, Prober, SealedSecret
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import PLANS_KEPT_MAX
from vedette.shared.sealing import SealLabel, opened

_log: Final = logging.getLogger(__name__)


class ProbeDefect(Exception):
    """A prober failed on a check with secrets. What it says of it is masked, and its cause is left out."""


class Keyring:
    """Opens what was sealed for `agent`. Values are never logged, written or shown."""

    def __init__(self, agent: str, key: X25519PrivateKey) -> None:
        self._agent = agent
        self._key = key
        self._secrets: dict[str, Secret] = {}
        self._mask = Mask(())
        self._revealed: OrderedDict[int, tuple[Check, Check]] = OrderedDict()

    @property
    def names(self) -> Collection[str]:
        """The secrets that are held."""
        return self._secrets.keys()

    @property
    def mask(self) -> Mask:
        """Takes the values that are held out of texts."""
        return self._mask

    def take(self, sealed: Sequence[SealedSecret]) -> None:
        """Hold these from now on, and no others. One that cannot be opened is left out, and logged by name."""
        held: dict[str, Secret] = {}
        for copy in sealed:
            label = SealLabel(self._agent, copy.name, copy.version)
            try:
                value = opened(copy.sealed, self._key, label)
            except ValueError:
                fields = {"secret": copy.name, "version": copy.version}
                _log.warning("secret.unopened", extra=fields)
                continue
            held[copy.name] = Secret(copy.name, copy.version, value)
        self._secrets = held
        self._mask = Mask(list(held.values()))
        self._revealed.clear()

    def revealed(self, check: Check) -> Check:
        """`check` with its secrets in place: one object for as long as the check and the secrets stay.

        Unusable, KeyError as in agent.core.secrets.
        """
        kept = self._revealed.get(id(check))
        if kept is not None and kept[0] is check:
            return kept[1]
        made = revealed(check, self._secrets) if secret_names(check) else check
        self._revealed[id(check)] = (check, made)
        if len(self._revealed) > PLANS_KEPT_MAX:
            self._revealed.popitem(last=False)
        return made


class SecretiveProber:
    """A prober (agent.ports) that probes with secrets in place, and tells nothing of them."""

    def __init__(self, prober: Prober, keyring: Keyring) -> None:
        self._prober = prober
        self._keyring = keyring

    async def probe(self, check: Check) -> Observation:
        """What the target does now; labels stand where a secret would."""
        try:
            made = self._keyring.revealed(check)
        except Unusable as error:
            return Observation(0, Failure.UNRUNNABLE, str(error), is_agent_fault=True)
        except KeyError as error:
            detail = f"this agent does not hold the secret {error.args[0]}"
            return Observation(0, Failure.UNRUNNABLE, detail, is_agent_fault=True)
        if made is check:
            return await self._prober.probe(check)
        mask = self._keyring.mask
        try:
            seen = await self._prober.probe(made)
        except Exception as error:  # noqa: BLE001 - raised again, without what it could quote
            # Its traceback could quote the value; what is raised instead has neither cause nor context.
            raise ProbeDefect(mask.text(f"{type(error).__name__}: {error}")) from None
        return replace(
            seen,
            detail=mask.of(seen.detail),
            variables=mask.of(seen.variables),
            facts=mask.of(seen.facts),
        )


def secretive(probers: Mapping[str, Prober], keyring: Keyring) -> dict[str, Prober]:
    """The same probers, each with the secrets of `keyring`."""
    return {kind: SecretiveProber(prober, keyring) for kind, prober in probers.items()}
