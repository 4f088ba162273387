"""A classifier in FinBERT's form, tiny and made of random numbers: what a test names instead of a downloaded one."""

from pathlib import Path

WORDS = [
    "profit",
    "loss",
    "rose",
    "fell",
    "sales",
    "the",
    "of",
    "to",
    "company",
    "net",
    "shares",
    "bank",
    "up",
    "down",
    "warns",
    "beats",
    "said",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make(folder: Path, labels: tuple[str, ...], seed: int = 0) -> Path:
    """Write config, weights and tokenizer; output number k is named `labels[k]`."""
    import torch
    import transformers

    folder.mkdir()
    (folder / "vocab.txt").write_text(
        "\n".join([*SPECIAL, *WORDS, *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "etaoinsr")])
    )
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=64)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def swapped(folder: Path, target: Path, order: tuple[int, ...]) -> Path:
    """The same classifier with its outputs, and their names, in another order."""
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    model.classifier.weight.data = model.classifier.weight.data[list(order)]
    model.classifier.bias.data = model.classifier.bias.data[list(order)]
    model.config.id2label = {new: model.config.id2label[old] for new, old in enumerate(order)}
    model.config.label2id = {name: number for number, name in model.config.id2label.items()}
    model.save_pretrained(target)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(target)
    return target


def distilled(folder: Path, target: Path) -> Path:
    """A classifier of DistilBERT's form with the tokenizer and the classes of that one, random as well."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    other = transformers.DistilBertConfig(
        vocab_size=config.vocab_size,
        dim=config.hidden_size,
        hidden_dim=config.intermediate_size,
        n_layers=1,
        n_heads=config.num_attention_heads,
        max_position_embeddings=config.max_position_embeddings,
        initializer_range=0.5,
        id2label=config.id2label,
        label2id=config.label2id,
    )
    transformers.DistilBertForSequenceClassification(other).save_pretrained(target)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(target)
    return target
