"""What leaves a channel's URL and what does not; digests; settings."""

import pytest
from pydantic import SecretStr

from spx_assets.monitoring.alerts import channels
from spx_assets.settings import SettingsError, load


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mailtos://robot:pa55@mail.example?to=a@b.example", "mailtos://mail.example/***"),
        ("slack://TOKENAAAA/TOKENBBBB/tokencccc/#desk", "slack://***/***"),
        ("json://localhost:80/x/y", "json://localhost/***"),
        ("not a url", "***"),
        ("http://[broken", "***"),
    ],
)
def test_of_a_url_scheme_and_host_are_shown(url: str, shown: str) -> None:
    assert channels.masked_url(SecretStr(url)) == shown


def test_every_part_of_a_url_that_may_be_a_secret_is_masked() -> None:
    url = SecretStr("mailtos://robot:p%40s@mail.example:587?to=ops@desk.example&smtp=mail.example")
    said = "robot could not log in to mail.example with p@s (p%40s): mailtos://robot:p%40s@mail.example:587"
    masked = channels.masked(said, url)
    assert masked.startswith("*** could not log in to mail.example with *** (***)")
    assert "robot" not in masked


def test_a_wrong_channel_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_ALERTS__CHANNELS", '{"desk": ["slack://TOKENAAAA"]}')
    with pytest.raises(SettingsError, match=r"SPX_ALERTS__CHANNELS__DESK=\*\*\*") as caught:
        load()
    assert "TOKENAAAA" not in str(caught.value)
