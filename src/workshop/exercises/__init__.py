"""Exercises that mark themselves: the search tries the learner's code."""
