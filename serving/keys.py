"""API keys of one home: who holds one, with which role; kept as digests, never as keys.

Belongs here: making, revoking and recognising keys, their file. Does not: what a role may do (`security`), HTTP.

A key is `spx_<id>_<43 characters>`, 32 random bytes. What is kept is its HMAC-SHA256 under a secret of the home: nobody guesses
256 bits, so a memory-hard hash, made for passwords, would only cost each request 50 ms. Both files lie in `$SPX_HOME/keys`, for
their owner's eyes only, and appear by rename. SPX_SERVING__SECRET takes the place of the home's secret, for several homes behind
one address; keys made under another secret are no longer valid. A running service sees a new key at once and a revoked one
within a tenth of a second.
"""

import hmac
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Literal

import msgspec
from filelock import FileLock

from spx_assets import SpxError
from spx_assets.settings import Settings

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
"""Each may do what those before it may."""
_KEY = re.compile(r"spx_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


class KeysError(SpxError):
    """The keys of the home cannot be read, or cannot be changed as asked."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key. `digest` is all that is left of the key itself."""

    id: str
    name: str
    role: Role
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None
    secret_id: str = ""
    """Which secret it was made under; empty: made before this was noted."""

    def may(self, role: Role) -> bool:
        """Whether its holder may do what `role` may."""
        return ROLES.index(self.role) >= ROLES.index(role)


class KeyStore:
    """The keys of one home. Reading needs no lock; changes are made one at a time.

    `glance_s`: for how long a known key is known without a look at the file.
    """

    def __init__(self, settings: Settings, *, glance_s: float = 0.0) -> None:
        self._folder, self._glance_s, self._looked_at = settings.home / "keys", glance_s, -1e9
        self._known: dict[str, Key] = {}
        """Valid keys that were presented: a digest is 4 us. Only a whole key is found, by a hash with a secret of the process."""
        self._given = settings.serving.secret.get_secret_value().encode()
        self._path, self._secret = self._folder / "keys.json", self._folder / "secret"
        self._read: tuple[tuple[int, int, int], dict[str, Key], bytes] | None = None

    def all(self) -> list[Key]:
        """Every key ever made, revoked ones included, oldest first."""
        return list(self._current()[0].values())

    def usable(self) -> list[Key]:
        """The keys that open something: not revoked, made under the secret in force."""
        keys, secret = self._current()
        return [key for key in keys.values() if key.revoked_at is None and key.secret_id in ("", _id(secret))]

    def create(self, name: str, role: Role) -> tuple[Key, str]:
        """A new key: what is kept of it, and the key itself, which nobody can show again."""
        if not _NAME.fullmatch(name):
            raise KeysError(f"{name!r} names no holder; give 1 to 64 printable characters, e.g. dashboard")
        if role not in ROLES:
            raise KeysError(f"there is no role {role!r}; choose {', '.join(ROLES)}")
        with self._changing() as keys:
            secret = self._home_secret()
            while (number := secrets.token_hex(4)) in keys:
                pass
            key = f"spx_{number}_{secrets.token_urlsafe(32)}"
            digest = _digest(secret, key)
            made = Key(id=number, name=name, role=role, digest=digest, created_at=datetime.now(UTC), secret_id=_id(secret))
            self._write({**keys, number: made})
        return made, key

    def revoke(self, number: str) -> Key:
        """End a key. It stays in the list, so that the audit's lines keep a name."""
        with self._changing() as keys:
            found = keys.get(number)
            if found is None or found.revoked_at:
                why = "is revoked already" if found else "does not exist"
                raise KeysError(f"key {number} {why}; `spx keys list` shows the keys and their ids")
            ended = msgspec.structs.replace(found, revoked_at=datetime.now(UTC))
            self._write({**keys, number: ended})
        return ended

    def holder(self, presented: str) -> Key | None:
        """The valid key that `presented` is, None if it is none. Takes as long for a wrong one as for a right one."""
        now = monotonic()
        if now - self._looked_at < self._glance_s and (known := self._known.get(presented)) is not None:
            return known
        before = self._read
        keys, secret = self._current()
        self._looked_at = now
        if self._read is not before:
            self._known.clear()
        found = _match(presented, keys, secret)
        if found is not None:
            self._known[presented] = found
        return found

    def valid(self, number: str) -> Key | None:
        """The key of an id as long as it opens something."""
        keys, secret = self._current()
        key = keys.get(number)
        return key if key is not None and key.revoked_at is None and key.secret_id in ("", _id(secret)) else None

    def opens(self, number: str) -> bool:
        """Whether the key of an id still opens something; where keys cannot be read, none does."""
        try:
            return self.valid(number) is not None
        except KeysError:
            return False

    def seal(self, key: Key, text: str) -> str:
        """What only this home, for this key, can put under `text`."""
        return hmac.digest(self._current()[1], f"{text}|{key.digest}".encode(), "sha256").hex()

    def is_seal(self, key: Key, text: str, seal: str) -> bool:
        """Whether `seal` is that of `text`; takes as long for a wrong one as for a right one."""
        return hmac.compare_digest(self.seal(key, text).encode(), seal.encode("utf-8", "surrogatepass"))

    def _current(self) -> tuple[dict[str, Key], bytes]:
        """Keys and secret as they lie there, read again only where the file is another one."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._read = None
            return {}, b""
        except OSError as error:  # a folder of another user's, or no folder
            raise self._unreadable(error) from error
        mark = (state.st_ino, state.st_mtime_ns, state.st_size)
        if self._read is None or self._read[0] != mark:
            try:
                keys = msgspec.json.decode(self._path.read_bytes(), type=list[Key])
                self._read = (mark, {key.id: key for key in keys}, self._given or self._secret.read_bytes())
            except (OSError, msgspec.MsgspecError) as error:
                raise self._unreadable(error) from error
        return self._read[1], self._read[2]

    def _unreadable(self, error: Exception) -> KeysError:
        return KeysError(
            f"the keys in {self._folder} cannot be read ({error}); see its permissions, put the folder back from a copy of the "
            "home, or delete it and make new keys"
        )

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """The keys as they are, while no other process changes them."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self._folder / ".lock"):
            yield self._current()[0]

    def _home_secret(self) -> bytes:
        if self._given:
            return self._given
        if not self._secret.exists():
            _write_private(self._secret, secrets.token_bytes(32))
        return self._secret.read_bytes()

    def _write(self, keys: dict[str, Key]) -> None:
        _write_private(self._path, msgspec.json.format(msgspec.json.encode(list(keys.values()))))


def _match(presented: str, keys: dict[str, Key], secret: bytes) -> Key | None:
    """The valid key that was presented. Compared in full where there is none of its id as well."""
    shape = _KEY.fullmatch(presented)
    found = keys.get(shape[1]) if shape else None
    right = hmac.compare_digest(_digest(secret, presented), found.digest if found else "0" * 64)
    return found if right and found is not None and found.revoked_at is None else None


def _digest(secret: bytes, key: str) -> str:
    return hmac.digest(secret, key.encode("utf-8", "surrogatepass"), "sha256").hex()


def _id(secret: bytes) -> str:
    return hmac.digest(secret, b"secret", "sha256").hex()[:8]


def _write_private(path: Path, data: bytes) -> None:
    """A file for its owner alone, there whole or not at all."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
