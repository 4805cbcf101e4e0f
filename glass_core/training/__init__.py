"""Training and evaluation of models, and the making of the embedded `compact` one.

`data` holds what is trained on and how it is split, `evaluation` how good a model is;
here lies one file per thing that is trained. Every step is a command of
``python -m glass_core train`` or ``evaluate``, can be repeated, and resumes.
"""
