"""One message over one channel, through apprise: e-mail, Slack and whatever else it has an address for.

Belongs here: sending, and telling of a failure without its address. Does not: which alerts are sent when (`delivery`), their
wording (`messages`).

A channel's URL holds passwords and tokens. Nothing of it beyond scheme and host leaves this room: not in an error, not in a log.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from spx_assets import SpxError

SHORTEST_TOKEN = 4
"""Shorter pieces of a URL are no secrets, and masking them would eat other words; a password is masked at any length."""
NOTIFY_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


class ChannelError(SpxError):
    """A channel did not take a message, or its URL is not one."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What goes out: HTML, made into text for channels that show none; `attachment` goes where files are taken."""

    title: str
    html: str
    severity: str
    attachment: Path | None = None


def send(name: str, url: SecretStr, message: Message, *, timeout_s: float) -> None:
    """Deliver `message` over the channel `name`; ChannelError, without the URL's secrets, if it was not taken."""
    # 0.3 s to import, which neither raising an alert nor loading the graph should cost.
    import apprise

    _quiet()
    address = url.get_secret_value()
    asset = apprise.AppriseAsset(app_id="spx-assets", app_desc="spx-assets", app_url="", async_mode=False)
    channel = apprise.Apprise(asset=asset)
    if not channel.add(address):
        raise ChannelError(
            f"SPX_ALERTS__CHANNELS names {name}, whose URL ({masked_url(url)}) is none that apprise knows; see "
            "https://github.com/caronc/apprise/wiki for its form"
        )
    result = channel.notify(
        body=message.html,
        title=message.title,
        body_format=apprise.NotifyFormat.HTML,
        notify_type=apprise.NotifyType(NOTIFY_TYPES[message.severity]),
        attach=str(message.attachment) if message.attachment else None,
        timeout=timeout_s,
    )
    if not result:
        said = "; ".join(entry.message for entry in result.logs()) or f"no answer within {timeout_s:g} s"
        raise ChannelError(f"{name} ({masked_url(url)}) did not take the message: {masked(said, url)}")


def _quiet() -> None:
    """No line of apprise or of its HTTP client leaves the process: they name addresses. The result tells what went wrong."""
    logging.getLogger("apprise").propagate = False
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


def masked_url(url: SecretStr) -> str:
    """Scheme of a channel's URL, and its host where that is no token."""
    parts = _split(url.get_secret_value())
    if parts is None or not parts.scheme:
        return "***"
    host = parts.hostname or ""
    return f"{parts.scheme}://{host if '.' in host or host == 'localhost' else '***'}/***"


def masked(text: str, url: SecretStr) -> str:
    """`text` with every part of the URL that may be a secret made ***."""
    address = url.get_secret_value()
    parts = _split(address)
    known = {parts.scheme, parts.hostname or ""} if parts else set()
    pieces = {piece for each in (address, unquote(address)) for piece in re.split(r"[:/@?&=#,\s]+", each)}
    secrets = {piece for piece in pieces if len(piece) >= SHORTEST_TOKEN and piece.lower() not in known and not piece.isdigit()}
    # A Slack token's host, and digits of a password, are secrets too.
    if parts and parts.password:
        secrets |= {parts.password, unquote(parts.password)}
    for secret in (address, *sorted(secrets, key=len, reverse=True)):
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    return " ".join(text.split())


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None
