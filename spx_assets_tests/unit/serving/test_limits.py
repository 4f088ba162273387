"""Rates of callers, in literal numbers; whom an address stands for; what a mode asks for before it listens."""

import pytest

from serving import modes
from serving.keys import KeyStore
from serving.limits import Rate, caller_at
from serving.modes import ModeError
from serving.run import serve
from spx_assets.settings import Settings, SettingsError, load


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def rate(clock: Clock, *, per_s: float = 5.0, burst_s: float = 2.0, callers: int = 100) -> Rate:
    return Rate("key", per_s=per_s, burst_s=burst_s, callers=callers, clock=clock)


def test_ten_at_once_then_five_a_second() -> None:
    clock = Clock()
    found = rate(clock)
    assert [found.take("a").left for _ in range(10)] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    refused = found.take("a")
    assert refused.wait_s == pytest.approx(0.2)
    policy = (b"ratelimit-policy", b'"key";q=10;w=2')
    assert found.headers(refused) == [policy, (b"ratelimit", b'"key";r=0;t=1'), (b"retry-after", b"1")]
    clock.now += 0.2
    assert (found.take("a").wait_s, found.take("a").wait_s > 0) == (0.0, True)
    clock.now += 1.0
    assert [found.take("a").wait_s > 0 for _ in range(6)] == [False] * 5 + [True]
    clock.now += 60.0
    assert found.take("a").left == 9
    assert found.headers(found.take("a")) == [policy, (b"ratelimit", b'"key";r=8;t=1')]


def test_who_waits_as_told_is_served_however_often_it_asked_too_soon() -> None:
    clock = Clock()
    found = rate(clock, per_s=1.0, burst_s=1.0)
    assert found.take("a").wait_s == 0
    for _ in range(50):
        clock.now += 0.01
        assert found.take("a").wait_s > 0
    clock.now += 0.5
    assert found.take("a").wait_s == 0


def test_callers_do_not_spend_one_anothers_and_only_the_latest_are_remembered() -> None:
    clock = Clock()
    found = rate(clock, per_s=1.0, burst_s=1.0, callers=100)
    assert not any(found.take(f"caller {n}").wait_s for n in range(1_000))
    assert len(found) == 100
    assert found.take("caller 999").wait_s > 0
    assert found.take("caller 0").wait_s == 0


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no:address", "no:address"),
    ],
)
def test_addresses_of_one_network_are_one_caller(address: str, caller: str) -> None:
    assert caller_at(address) == caller


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1"])
def test_the_local_mode_listens_on_loopback(settings: Settings, host: str) -> None:
    modes.require(settings, host=host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.4", "example.com", "localhost.example"])
def test_the_local_mode_listens_nowhere_else(settings: Settings, host: str) -> None:
    with pytest.raises(ModeError, match="set SPX_SERVING__MODE=production and make a key with `spx keys create NAME`"):
        modes.require(settings, host=host)


def test_the_service_does_not_start_where_strangers_could_read(settings: Settings) -> None:
    with pytest.raises(ModeError, match=r"listens on loopback only, not on '0\.0\.0\.0'"):
        serve(settings, host="0.0.0.0", port=0)


def test_production_needs_a_key_that_is_valid_under_its_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_SERVING__MODE", "production")
    with pytest.raises(ModeError, match="make one with `spx keys create NAME`"):
        modes.require(load(), host="0.0.0.0")
    made, _ = KeyStore(load()).create("desk", "viewer")
    modes.require(load(), host="0.0.0.0")
    monkeypatch.setenv("SPX_SERVING__SECRET", "s" * 40)
    with pytest.raises(ModeError, match="none that is valid under its secret"):
        modes.require(load(), host="0.0.0.0")
    KeyStore(load()).create("desk", "viewer")
    modes.require(load(), host="0.0.0.0")
    monkeypatch.delenv("SPX_SERVING__SECRET")
    KeyStore(load()).revoke(made.id)
    with pytest.raises(ModeError):
        modes.require(load(), host="0.0.0.0")


def test_a_short_secret_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_SERVING__SECRET", "hunter2-hunter2")
    with pytest.raises(ModeError, match="has 15 letters; give 32 random ones or more") as caught:
        modes.require(load(), host="127.0.0.1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("SPX_SERVING__SECRET", '["hunter2"]'), ("SPX_SERVING", '{"secret": "hunter2", "mode": "open"}')]
)
def test_a_setting_that_cannot_be_read_repeats_no_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    if name.endswith("SECRET"):
        monkeypatch.setenv("SPX_SERVING__MODE", "open")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "SPX_SERVING__MODE='open'" in str(caught.value)
    assert "hunter2" not in str(caught.value)
