"""Which sentiment model the settings name, without loading it.

Belongs here: a digest of the files a model would be loaded from. Does not: loading (`sentiment`), scores (`sentiment_cache`).

Loading takes a second (embedded) to half a minute (BERT). A home that only asks which weeks are stale, or whose articles are all
scored, needs none of it.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import xxhash

from spx_assets.settings import NewsSettings

EMBEDDED = "embedded"
"""The scorer that is shipped with the package."""
# Of a model in the embedded scorer's form; not taken from its module, which imports what it runs on. Serving asks here, too.
_MANIFEST = "sentiment.json"
_SHIPPED = Path(__file__).parent / "sentiment" / "embedded"


def version(settings: NewsSettings) -> str | None:
    """Changes with the model's name and files, and the precision it runs in; None if it is a hub model that was never fetched."""
    folder = _SHIPPED if settings.model == EMBEDDED else Path(settings.model).expanduser()
    manifest = folder / _MANIFEST
    if manifest.is_file():
        # It names the digest of every other file, and loading checks them. Such a model has one precision.
        return f"{settings.model}@{hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]}"
    if folder.is_dir():
        states = ((path, path.stat()) for path in sorted(folder.iterdir()) if path.is_file())
        found: str | None = _of_files(tuple((path, state.st_mtime_ns, state.st_size) for path, state in states))
    else:
        found = _commit(settings.model)
    return None if found is None else f"{settings.model}@{found}/{settings.precision}"


def named(settings: NewsSettings) -> str:
    """The version or, of a hub model that was never fetched, the name: it has scored nothing here yet."""
    return version(settings) or settings.model


@lru_cache(maxsize=8)
def _of_files(states: tuple[tuple[Path, int, int], ...]) -> str:
    """Digest of names and bytes; files in one state are read once a process (0.3 s for a BERT's 440 MB)."""
    hasher = xxhash.xxh3_128()
    for path, _, size in states:
        hasher.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as reader:
            while block := reader.read(1 << 20):
                hasher.update(block)
    return hasher.hexdigest()[:16]


def _commit(model: str) -> str | None:
    """The commit of a hub model in the local cache."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        # Comes with transformers; without them no hub model was ever loaded.
        return None
    try:
        found = try_to_load_from_cache(model, "config.json")
    except ValueError:
        # No name a hub model can have; loading says so in words.
        return None
    return Path(found).parent.name if isinstance(found, str) else None
