"""Alerts over a real mail server and a real web hook: contents, attachment, once, cool-down, failures, digest."""

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from serving.monitoring import rows
from serving.monitoring.contracts import AlertRequest
from spx_assets.cli import app
from spx_assets.lake import Lake
from spx_assets.monitoring.alerts import delivery, digest, kinds, raising
from spx_assets.monitoring.alerts.delivery import Delivered
from spx_assets.settings import Settings
from spx_assets_tests.integration.monitoring.alerts.conftest import PASSWORD, Chat, Mail

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)
FEATURES = ["rsi_14", "spread_bp", "<b>"]


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def raised(settings: Settings, minutes: float, day: date = DAY, report: str | None = None) -> str | None:
    alert = kinds.drift(instrument="SPX500_USD", day=day, share=0.42, features=FEATURES, report=report)
    return raising.raise_alert(settings, alert, now=at(minutes))


def states(settings: Settings) -> list[tuple[object, ...]]:
    found = Lake.open(settings).read("monitoring.alerts").sort("created_at", "id")
    return found.select("kind", "delivery", "attempts").rows()


def test_a_mail_has_html_text_and_the_report_and_the_chat_its_text(told_home: Settings, mail: Mail, chat: Chat) -> None:
    report = told_home.home / "monitoring" / "reports" / "drift.html"
    report.parent.mkdir(parents=True)
    report.write_text("<html>120 features</html>")
    raised(told_home, 0, report="monitoring/reports/drift.html")
    assert delivery.deliver(told_home, now=at(1)) == Delivered(delivered=1)
    (message,) = mail.messages
    assert message["subject"] == "[warning] SPX500_USD drifted on 2026-03-02"
    assert "ops@desk.example" in message["to"]
    html = message.get_body(("html",))
    assert html is not None
    assert "<p>42% of the inputs of SPX500_USD drifted on 2026-03-02: rsi_14, spread_bp, &lt;b&gt;.</p>" in html.get_content()
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("drift.html", "<html>120 features</html>")
    (post,) = chat.posts
    assert post["title"] == "[warning] SPX500_USD drifted on 2026-03-02"
    assert "42% of the inputs of SPX500_USD drifted" in post["message"]
    assert post["attachments"][0]["filename"] == "drift.html"


def test_an_event_is_kept_and_told_once(told_home: Settings, mail: Mail) -> None:
    first = raised(told_home, 0)
    assert first is not None
    assert raised(told_home, 5) is None
    delivery.deliver(told_home, now=at(6))
    assert raised(told_home, 10) is None
    assert delivery.deliver(told_home, now=at(11)) == Delivered()
    assert len(mail.messages) == 1


def test_within_the_cool_down_others_of_the_kind_wait_for_the_digest_but_a_graver_one(told_home: Settings, mail: Mail) -> None:
    raised(told_home, 0)
    delivery.deliver(told_home, now=at(1))
    raised(told_home, 200, day=date(2026, 3, 3))
    rows.keep(told_home, AlertRequest(message="all <inputs> drifted", severity="critical", kind="drift"), source="key 1 (desk)")
    raising.raise_alert(told_home, kinds.missing_data(instrument="SPX500_USD", day=DAY), now=at(200))
    # What the service keeps bears the wall's time: it is delivered by it.
    told = delivery.deliver(told_home, now=at(201))
    assert (told.delivered, told.held) == (2, 1)
    assert [m["subject"].split("]")[0] for m in mail.messages] == ["[warning", "[critical", "[critical"]
    assert any("all <inputs> drifted" in m["subject"] for m in mail.messages)
    raised(told_home, 361 + 201, day=date(2026, 3, 4))
    assert delivery.deliver(told_home, now=at(362 + 201)) == Delivered(delivered=1)


def test_several_of_a_kind_go_out_as_one_message_and_few_are_below_the_least_severity(told_home: Settings, mail: Mail) -> None:
    for minute, name in enumerate(("spx500_h30", "spx500_h60")):
        alert = kinds.promotion(name=name, version="v2", before="v1", reason="beat it", decided_at=NOW)
        raising.raise_alert(told_home, alert, now=at(minute))
    assert delivery.deliver(told_home, now=at(1)) == Delivered(delivered=2)
    (message,) = mail.messages
    assert message["subject"] == "[info] 2 alerts: spx500_h30: v2 was promoted, ..."
    quiet = told_home.model_copy(update={"alerts": told_home.alerts.model_copy(update={"min_severity": "warning"})})
    alert = kinds.promotion(name="x", version="v2", before=None, reason="", decided_at=NOW)
    raising.raise_alert(told_home, alert, now=at(2))
    assert delivery.deliver(quiet, now=at(3)) == Delivered(held=1)


def test_a_channel_that_fails_is_tried_again_alone_with_growing_pauses_then_given_up(
    told_home: Settings, mail: Mail, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chat.status = 503
    raised(told_home, 0)
    for minutes in (0, 1, 3, 7, 15):  # pauses of 1, 2, 4, 8 and 16 minutes
        assert minutes == 0 or delivery.deliver(told_home, now=at(minutes - 0.1)) == Delivered()
        assert delivery.deliver(told_home, now=at(minutes)) == Delivered(waiting=1)
    assert delivery.deliver(told_home, now=at(31)) == Delivered(failed=1)
    assert delivery.deliver(told_home, now=at(24 * 60)) == Delivered()
    assert states(told_home) == [("drift", "failed", 6)]
    assert len(mail.messages) == 1
    attempts = Lake.open(told_home).read("monitoring.deliveries")
    assert attempts.group_by("channel").agg(pl.len(), pl.col("delivered").any()).sort("channel").rows() == [
        ("chat", 6, False),
        ("mail", 1, True),
    ]
    (error,) = Lake.open(told_home).read("monitoring.alerts")["error"]
    assert "chat (json://127.0.0.1/***) did not take the message" in error
    assert "503" in error
    assert "T0KENSECRET" not in caplog.text + error


def test_a_channel_that_recovers_gets_what_it_missed(told_home: Settings, mail: Mail, chat: Chat) -> None:
    mail.broken = True
    raised(told_home, 0)
    assert delivery.deliver(told_home, now=at(0)) == Delivered(waiting=1)
    assert PASSWORD not in Lake.open(told_home).read("monitoring.alerts")["error"][0]
    mail.broken = False
    assert delivery.deliver(told_home, now=at(0.5)) == Delivered()
    assert delivery.deliver(told_home, now=at(1)) == Delivered(delivered=1)
    assert (len(mail.messages), len(chat.posts)) == (1, 1)


def test_the_digest_tells_each_day_once_what_was_told_and_what_was_not(told_home: Settings, mail: Mail) -> None:
    assert digest.make(told_home, now=NOW) is None
    raised(told_home, 0)
    delivery.deliver(told_home, now=at(1))
    raised(told_home, 30, day=date(2026, 3, 3))
    delivery.deliver(told_home, now=at(31))
    assert digest.make(told_home, now=at(60)) is not None
    assert digest.make(told_home, now=at(61)) is None
    delivery.deliver(told_home, now=at(62))
    message = mail.messages[-1]
    assert message["subject"] == "[info] 2 alert(s) up to 2026-03-03"
    html = message.get_body(("html",))
    assert html is not None
    text = html.get_content()
    assert "drift (warning): 2, 1 delivered, 1 held, 0 failed." in text
    assert "12:30 UTC drift: 42% of the inputs of SPX500_USD drifted on 2026-03-03" in text


def test_raising_never_fails_and_what_is_lost_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The lake's catalog is a folder: nothing can be kept there."""
    broken = Settings(home=tmp_path / "broken", lake={"catalog": "c"})  # type: ignore[arg-type]
    (broken.home / "c").mkdir(parents=True)
    assert raised(broken, 0) is None
    assert "an alert was not kept" in caplog.text
    assert "42% of the inputs" in caplog.text


def test_the_commands_test_list_and_deliver(told_home: Settings, chat: Chat) -> None:
    run = CliRunner().invoke
    raised(told_home, 60 * 24 * 3650)
    chat.status = 500
    tried = run(app, ["alerts", "test"])
    assert tried.exit_code == 1
    mail_line, chat_line = (line.split("\t") for line in tried.stdout.splitlines()[1:])
    assert mail_line == ["mail", "mailto://desk.example/***", "delivered", ""]
    assert chat_line[:3] == ["chat", "json://127.0.0.1/***", "failed"]
    assert PASSWORD not in tried.output
    assert "T0KENSECRET" not in tried.output
    chat.status = 200
    assert run(app, ["alerts", "test"]).exit_code == 0
    assert run(app, ["alerts", "deliver"]).stdout == "delivery\talerts\ndelivered\t1\nheld\t0\nwaiting\t0\nfailed\t0\n"
    listed = run(app, ["alerts", "list", "--kind", "drift"])
    assert listed.stdout.splitlines()[1].split("\t")[1:4] == ["drift", "warning", "delivered"]


def test_a_wrong_password_or_url_is_told_without_it(home: Settings, mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_ALERTS__CHANNELS__MAIL", mail.url("wr0ng-passw0rd"))
    monkeypatch.setenv("SPX_ALERTS__CHANNELS__ODD", "nosuch://hidden-token/more")
    tried = CliRunner().invoke(app, ["alerts", "test"])
    assert tried.exit_code == 1
    assert "mail (mailto://desk.example/***) did not take the message" in tried.stdout
    assert "nosuch://***/***" in tried.stdout
    assert "wr0ng" not in tried.output
    assert "hidden-token" not in tried.output
