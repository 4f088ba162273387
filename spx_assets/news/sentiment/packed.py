"""BERT over the tokens that there are: texts of a batch lie end to end, none is padded.

Belongs here: that forward pass, of the layers as transformers loaded them. Does not: loading, which texts share a batch
(`finbert`), other networks than BERT, which are padded as transformers does it.

Four fifths of the time are products of all tokens with a weight. A padded token costs there what a word does, and batches of one
length, which need no padding, are small: the weight is laid out anew for each product, a tenth of it where it has 400 tokens.
Only attention is of one text: it is done for all texts of one length at a time. The last layer is asked for the first token
alone, which is all that the classifier reads: of the others it needs keys and values, which leaves out 7 % of the products of
twelve layers.
"""

from itertools import groupby
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPooling


def packed(network: Any) -> bool:
    """Whether the network is one that pads nothing from here on: its encoder is replaced where it is plain BERT."""
    if type(network) is not transformers.BertForSequenceClassification or network.config.is_decoder:
        return False
    network.bert = Packed(network.bert)  # type: ignore[assignment]  # what the classifier asks of it is the same
    return True


class Packed(nn.Module):
    """In the place of a `BertModel`: the same pooled output, within rounding; of hidden states the last ones of first tokens."""

    def __init__(self, bert: Any) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: object) -> BaseModelOutputWithPooling:
        """Of token numbers and mask [n, t], padded on either side. Texts are single: all tokens are of the first type."""
        kept = attention_mask.bool()
        lengths = kept.sum(1).tolist()
        positions = kept.cumsum(1)[kept] - 1
        embeddings = self.bert.embeddings
        x = embeddings.word_embeddings(input_ids[kept]) + embeddings.position_embeddings(positions)
        x = embeddings.LayerNorm(x + embeddings.token_type_embeddings.weight[0])
        *whole, last = self.bert.encoder.layer
        for layer in whole:
            x = after_attention(layer, attended(layer.attention.self, x, x, lengths), x)
        firsts = torch.tensor([0, *lengths[:-1]]).cumsum(0).to(x.device)
        first = x[firsts]
        first = after_attention(last, attended(last.attention.self, first, x, lengths, asked=1), first)[:, None]
        return BaseModelOutputWithPooling(last_hidden_state=first, pooler_output=self.bert.pooler(first))


def after_attention(layer: Any, seen: Tensor, x: Tensor) -> Tensor:
    made: Tensor = layer.feed_forward_chunk(layer.attention.output(seen, x))
    return made


def attended(attention: Any, asking: Tensor, x: Tensor, lengths: list[int], *, asked: int | None = None) -> Tensor:
    """What the tokens `asking`, of each text the first `asked` or all, see of their own text in `x`; texts follow each other."""
    groups = [(length, len(list(texts))) for length, texts in groupby(lengths)]
    asked_of = [count * (asked or length) for length, count in groups]
    seen_of = [count * length for length, count in groups]
    parts = (attention.query(asking).split(asked_of), attention.key(x).split(seen_of), attention.value(x).split(seen_of))
    seen = []
    for (_, count), *qkv in zip(groups, *parts, strict=True):
        q, k, v = (part.view(count, -1, attention.num_attention_heads, attention.attention_head_size) for part in qkv)
        mixed = functional.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        seen.append(mixed.transpose(1, 2).reshape(-1, asking.shape[1]))
    return torch.cat(seen)
