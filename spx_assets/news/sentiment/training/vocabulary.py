"""Which of MiniLM's 30,522 tokens the embedded scorer keeps, and its tokenizer file.

Belongs here: choosing tokens, cutting the tokenizer. Does not: scoring's own reading of the file (`embedded`).
"""

import json
from collections import Counter
from collections.abc import Iterable

from tokenizers import Tokenizer

from spx_assets.news.sentiment.training.network import POSITIONS, minilm

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def choose(texts: Iterable[str], size: int) -> list[int]:
    """Numbers of `size` tokens of MiniLM in ascending order, [PAD] first.

    Kept are the special ones, every single character (so that any word can still be spelt), then what `texts` use most, then
    the lowest numbers: BERT's list is roughly in the order of frequency in English.
    """
    tokenizer = Tokenizer.from_file(str(minilm() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    vocabulary = tokenizer.get_vocab()
    kept = {vocabulary[token] for token in SPECIAL}
    kept |= {number for token, number in vocabulary.items() if len(token.removeprefix("##")) == 1 and token.isascii()}
    used = Counter(number for coded in tokenizer.encode_batch(list(texts), add_special_tokens=False) for number in coded.ids)
    ordered = [number for number, count in used.most_common() if count >= 2]
    words = {number for token, number in vocabulary.items() if token.isascii() and not token.startswith("[")}
    for number in [*ordered, *sorted(words)]:
        if len(kept) == size:
            break
        kept.add(number)
    return sorted(kept)


def cut(kept: list[int]) -> str:
    """Text of a tokenizer.json with only the tokens kept, numbered by their place; it cuts at 128 tokens and does not pad."""
    made = json.loads((minilm() / "tokenizer.json").read_text())
    by_number = {number: token for token, number in made["model"]["vocab"].items()}
    numbers = {by_number[old]: new for new, old in enumerate(kept)}
    made["model"]["vocab"] = numbers
    # Without added tokens a title holding "[SEP]" is characters, not the end of a text.
    made["added_tokens"] = []
    for token in made["post_processor"]["special_tokens"].values():
        token["ids"] = [numbers[word] for word in token["tokens"]]
    made["padding"] = None
    made["truncation"] = {"max_length": POSITIONS, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    Tokenizer.from_str(text)
    return text
