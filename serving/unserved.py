"""What the protocols under the application tell it, and it them: counts of connections that no route served.

Belongs here: what both sides must know without importing one another. Does not: the protocols (`connections`, `unread`), what is
made of the counts (`metrics`).

So the application does not import its server.
"""

from collections import Counter
from typing import Final

ENDS: Final = "ends"
"""Where the state of a call keeps what ends its answer, if that has no end of its own: at the service's end it is called."""
LEFT: Final = "left"
"""Where it says that the client has hung up: nobody waits for the answer."""
refused: Counter[str] = Counter()
"""What this process refused before any route, by code; the server makes protocols, so they have no other place to count."""


class Cut:
    """Connections that were cut as their client did not read."""

    number = 0
