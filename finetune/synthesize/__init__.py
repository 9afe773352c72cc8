"""Pedagogical dialogues made from lesson sets, real learner sentences and banks of phrases: no model writes them."""
