"""The way to a channel: a signed webhook, or apprise."""

from collections.abc import Callable, Mapping

from controller.core.channels import Channel, masked, revealed
from controller.core.wording import Message
from controller.notify import webhook
from controller.notify.courier import Courier
from controller.ports.deliveries import Outcome


class ChannelTransport:
    """controller.ports.deliveries.Transport over the network."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._courier = Courier()

    async def send(self, channel: Channel, values: Mapping[str, str], message: Message) -> Outcome:
        """Try once, within a deadline. `values` are the secrets that the channel names."""
        if channel.webhook is not None:
            url, secret = (
                revealed(text, values) for text in (channel.webhook.url, channel.webhook.secret)
            )
            outcome = await webhook.post(url, secret, message, self._now_us)
        else:
            url = revealed(channel.url or "", values)
            outcome = await self._courier.send(channel.id, url, message)
        return Outcome(
            outcome.is_delivered, masked(outcome.error, values), outcome.wait_us, outcome.is_final
        )

    async def close(self) -> None:
        """Let go of everything; what is on its way is given up."""
        await self._courier.close()
