"""What a mode asks for before the service may listen.

Belongs here: refusing to start what would be open to strangers. Does not: checking a request (`gate`).
"""

from ipaddress import ip_address

from serving.keys import KeyStore
from spx_assets import SpxError
from spx_assets.settings import Settings

SHORTEST_SECRET = 32
"""Letters of SPX_SERVING__SECRET: with fewer a digest of a key could be found out by trying secrets."""


class ModeError(SpxError):
    """The settings would open the service to more people than its mode allows, or to none."""


def require(settings: Settings, *, host: str) -> None:
    """ModeError where `host` and the keys of the home do not fit the mode."""
    secret = settings.serving.secret.get_secret_value()
    if 0 < len(secret) < SHORTEST_SECRET:
        raise ModeError(f"SPX_SERVING__SECRET has {len(secret)} letters; give {SHORTEST_SECRET} random ones or more, or unset it")
    if settings.serving.mode == "local":
        if not loopback(host):
            raise ModeError(
                f"SPX_SERVING__MODE=local leaves reads open and so listens on loopback only, not on {host!r}; set "
                "SPX_SERVING__MODE=production and make a key with `spx keys create NAME`, or listen on 127.0.0.1"
            )
    elif not KeyStore(settings).usable():
        raise ModeError(
            "SPX_SERVING__MODE=production answers nobody without a key, and the home has none that is valid under its secret; "
            "make one with `spx keys create NAME`"
        )


def loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
