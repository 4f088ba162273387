"""API keys: recognised by their digest alone, revoked at once, readable by their owner alone."""

import os
import shutil
import stat
from datetime import UTC
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from serving import keys
from serving.keys import KeysError, KeyStore
from spx_assets.cli import app
from spx_assets.settings import Settings, load


def test_a_key_is_recognised_and_only_its_digest_is_kept(settings: Settings) -> None:
    store = KeyStore(settings)
    made, key = store.create("dashboard", "operator")
    assert key.startswith(f"spx_{made.id}_")
    assert store.holder(key) == made
    kept = b"".join(path.read_bytes() for path in (settings.home / "keys").iterdir())
    assert key.encode() not in kept
    assert key.removeprefix(f"spx_{made.id}_").encode() not in kept


@pytest.mark.parametrize(
    "wrong",
    ["", "spx", "Bearer", "spx_00000000_" + "A" * 43, "spx_" + "é" * 51, "\x00", "A" * 100_000],
)
def test_what_is_no_key_has_no_holder(settings: Settings, wrong: str) -> None:
    store = KeyStore(settings)
    assert store.holder(wrong) is None
    store.create("dashboard", "admin")
    assert store.holder(wrong) is None


def test_a_key_with_one_sign_changed_or_of_another_home_has_no_holder(settings: Settings, tmp_path: Path) -> None:
    store, other = KeyStore(settings), KeyStore(settings.model_copy(update={"home": tmp_path / "other"}))
    _, key = store.create("dashboard", "admin")
    _, foreign = other.create("dashboard", "admin")
    assert store.holder(foreign) is None
    assert store.holder(key[:-1] + ("A" if key[-1] != "A" else "B")) is None
    assert store.holder(key + "A") is None


def test_a_running_service_sees_a_key_made_and_revoked_by_another_process(settings: Settings) -> None:
    running, command = KeyStore(settings), KeyStore(settings)
    made, key = command.create("dashboard", "viewer")
    assert running.holder(key) == made
    ended = command.revoke(made.id)
    assert running.holder(key) is None
    assert ended.revoked_at is not None
    assert ended.revoked_at.tzinfo is UTC
    assert running.all() == [ended]
    with pytest.raises(KeysError, match=f"key {made.id} is revoked already; `spx keys list`"):
        command.revoke(made.id)
    with pytest.raises(KeysError, match="key nothing does not exist"):
        command.revoke("nothing")


def test_a_greater_role_may_do_what_a_smaller_one_may(settings: Settings) -> None:
    made = {role: KeyStore(settings).create(role, role)[0] for role in keys.ROLES}
    assert {role: [asked for asked in keys.ROLES if key.may(asked)] for role, key in made.items()} == {
        "viewer": ["viewer"],
        "operator": ["viewer", "operator"],
        "admin": ["viewer", "operator", "admin"],
    }


def test_the_files_are_for_their_owner_alone(settings: Settings) -> None:
    before = os.umask(0)
    try:
        KeyStore(settings).create("dashboard", "viewer")
    finally:
        os.umask(before)
    folder = settings.home / "keys"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "keys.json", folder / "secret")}
    assert modes == {"keys": 0o700, "keys.json": 0o600, "secret": 0o600}


def test_keys_that_cannot_be_read_let_nobody_in(settings: Settings) -> None:
    store = KeyStore(settings)
    _, key = store.create("dashboard", "admin")
    (settings.home / "keys" / "keys.json").write_text('[{"id": ')
    with pytest.raises(KeysError, match="put the folder back from a copy of the home"):
        KeyStore(settings).holder(key)
    with pytest.raises(KeysError, match="put the folder back from a copy of the home"):
        store.holder(key)


def test_keys_that_may_not_be_looked_at_let_nobody_in(settings: Settings) -> None:
    store = KeyStore(settings)
    made, key = store.create("dashboard", "admin")
    shutil.rmtree(settings.home / "keys")
    (settings.home / "keys").write_text("no folder")
    with pytest.raises(KeysError, match="see its permissions, put the folder back"):
        store.holder(key)
    assert not store.opens(made.id)


def test_names_and_roles_that_say_nothing_are_refused(settings: Settings) -> None:
    store = KeyStore(settings)
    for name in ("", "two\nlines", "x" * 65):
        with pytest.raises(KeysError, match="names no holder"):
            store.create(name, "viewer")
    with pytest.raises(KeysError, match="no role 'root'; choose viewer, operator, admin"):
        store.create("dashboard", "root")  # type: ignore[arg-type]
    assert store.all() == []


def test_the_command_prints_a_key_once_and_never_again(settings: Settings) -> None:
    def spx(*words: str) -> Result:
        return CliRunner().invoke(app, ["keys", *words], catch_exceptions=False)

    made = spx("create", "dashboard", "--role", "operator")
    key = made.stdout.strip()
    holder = KeyStore(settings).holder(key)
    assert holder is not None
    assert (holder.name, holder.role) == ("dashboard", "operator")
    listed = spx("list").stdout.splitlines()
    assert listed[0] == "id\tname\trole\tcreated_at\trevoked_at"
    assert [line.split("\t")[:3] for line in listed[1:]] == [[holder.id, "dashboard", "operator"]]
    assert spx("revoke", holder.id).exit_code == 0
    assert KeyStore(settings).holder(key) is None
    assert key not in made.stderr + spx("list").output


def test_between_two_glances_a_revoked_key_is_still_known_and_a_new_one_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(keys, "monotonic", lambda: now)
    running, command = KeyStore(settings, glance_s=0.1), KeyStore(settings)
    first, key = command.create("dashboard", "viewer")
    assert running.holder(key) == first
    _, newer = command.create("desk", "viewer")
    assert [running.holder(each) is not None for each in (newer, key)] == [True, True]
    command.revoke(first.id)
    now += 0.05
    assert running.holder(key) == first
    now += 0.06
    assert running.holder(key) is None
    now += 0.2
    (settings.home / "keys" / "keys.json").unlink()
    assert [running.holder(newer) for _ in range(2)] == [None, None]


def test_a_secret_of_the_settings_takes_the_place_of_the_homes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _, old = KeyStore(settings).create("dashboard", "viewer")
    monkeypatch.setenv("SPX_SERVING__SECRET", "of several homes " * 2)
    shared = KeyStore(load())
    assert (shared.holder(old), shared.usable()) == (None, [])
    made, key = shared.create("desk", "operator")
    assert (shared.holder(key), shared.usable()) == (made, [made])
    assert KeyStore(settings).holder(key) is None
