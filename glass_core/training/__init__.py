"""Training and evaluation of the embedded `compact` model, one step per module.

``python -m glass_core.training.<step>`` runs a step: splits, pairs, pretrain,
head, evaluate. Every step reads a data folder and a working folder given as
options and can be repeated; long steps resume from their checkpoint.
"""
