"""The test button: one message over every channel, now.

Belongs here: trying channels. Does not: alerts that wait (`delivery`).
"""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from spx_assets.monitoring.alerts import channels
from spx_assets.monitoring.alerts.channels import ChannelError, Message
from spx_assets.settings import Settings


@dataclass(frozen=True)
class Trial:
    """What became of the test over one channel; `address` shows no secret."""

    channel: str
    address: str
    error: str | None


def every_channel(settings: Settings) -> list[Trial]:
    """Send a test message over each channel; ChannelError if none is named."""
    require_channels(settings)
    now, where = datetime.now(UTC), f"{settings.home} on {socket.gethostname()}"
    text = f"A test of the alerts of {where}, sent at {now:%Y-%m-%d %H:%M:%S} UTC. Nothing is wrong."
    message = Message(title="[info] Test of alerts", html=f"<p>{escape(text)}</p>", severity="info")
    tried = []
    for name, url in settings.alerts.channels.items():
        try:
            channels.send(name, url, message, timeout_s=settings.alerts.timeout_s)
            tried.append(Trial(name, channels.masked_url(url), None))
        except ChannelError as error:
            tried.append(Trial(name, channels.masked_url(url), str(error)))
    return tried


def require_channels(settings: Settings) -> None:
    """ChannelError, with how to name one, if there is no channel."""
    if not settings.alerts.channels:
        raise ChannelError(
            "no channel is named; set one, e.g. SPX_ALERTS__CHANNELS__MAIL=mailtos://user:password@host?to=ops@host, "
            f"in the environment or in {settings.home / 'settings.env'}"
        )
