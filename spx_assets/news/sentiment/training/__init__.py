"""How the embedded scorer is learned: `python -m spx_assets.news.sentiment.training --data FOLDER`.

Belongs here: reading the labelled sets, sentences made by rules, the encoder in torch, learning, export and model card. Does
not: scoring (`embedded` needs none of this), data of any set.
"""
