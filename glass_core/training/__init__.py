"""Training and evaluation of models, and the making of the embedded `compact` one.

`data` holds what is trained on and how it is split, `evaluation` how good a model is;
here lies one file per thing that is trained: `encoder` and `tune` make the compact encoder,
`siamese`, `fold` and `effect` a head each. They are plain functions; every step is a command
of ``glass train``, or ``glass evaluate``, can be repeated, and resumes.
"""
