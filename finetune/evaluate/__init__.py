"""Whether a model teaches: the same questions put to any number of models, counted without a judge.

A *task* asks a model things and turns each answer into *cases*; a case belongs to a cluster (its writer), because
sentences of one writer are alike and an interval that forgot it would be too narrow. Answers are kept in a file a
model and never asked for twice.
"""
