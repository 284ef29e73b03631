"""Which of three changes to record_attempt hold?"""
# exercise: 07_one_api exercise-1-answer

# %% right: a dict
answer = {"look first": False, "count first": True, "own key": False}

# %% right: dict() of pairs, in another order
answer = dict([("own key", False), ("count first", True), ("look first", False)])

# %% right: only one holds
answer = {name: name == "count first" for name in ["look first", "count first", "own key"]}

# %% right: the search is asked
answer = {
    "look first": explore(**looks).holds,
    "count first": explore(**counts).holds,
    "own key": explore(**owns).holds,
}

# %% right: filled in
answer = dict.fromkeys(["look first", "count first", "own key"], False)
answer["count first"] = True

# %% wrong: look first holds, count first holds, own key holds
# misconception: optimism
# why: The loser of a conflict answers its own time, and a new key is a new attempt.
# said: 1 of 3 is right. Not so: 'look first', 'own key'
answer = {"look first": True, "count first": True, "own key": True}

# %% wrong: look first holds, count first holds, own key breaks
# misconception: stored once is enough
# why: One solve is stored, and the server that met the conflict tells Ada another time.
# said: 2 of 3 are right. Not so: 'look first'
answer = {"look first": True, "count first": True, "own key": False}

# %% wrong: look first holds, count first breaks, own key breaks
# misconception: stored once is enough
# why: One solve is stored, and the server that met the conflict tells Ada another time.
# said: 1 of 3 is right. Not so: 'look first', 'count first'
answer = {"look first": True, "count first": False, "own key": False}

# %% wrong: look first holds, count first breaks, own key holds
# misconception: stored once is enough
# why: One solve is stored, and the server that met the conflict tells Ada another time.
# said: 0 of 3 are right. Not so: 'look first', 'count first', 'own key'
answer = {"look first": True, "count first": False, "own key": True}

# %% wrong: look first breaks, count first holds, own key holds
# misconception: any key will do
# why: A key that the server makes names the request, so the repeated attempt has another.
# said: 2 of 3 are right. Not so: 'own key'
answer = {"look first": False, "count first": True, "own key": True}

# %% wrong: look first breaks, count first breaks, own key holds
# misconception: any key will do
# why: A key that the server makes names the request, so the repeated attempt has another.
# said: 1 of 3 is right. Not so: 'count first', 'own key'
answer = {"look first": False, "count first": False, "own key": True}

# %% wrong: look first breaks, count first breaks, own key breaks
# misconception: pessimism
# why: Each write is safe to repeat, and the whole is repeated, so their order does not matter.
# said: 2 of 3 are right. Not so: 'count first'
answer = {"look first": False, "count first": False, "own key": False}

# %% wrong: nothing yet
# misconception: no answer
# why: A prediction comes before the search.
# said: Your prediction is missing
answer = None

# %% wrong: dots
# misconception: no answer
# why: The dots stand for the answers.
# said: Your prediction is missing
answer = ...

# %% wrong: dots in the dict
# misconception: no answer
# why: The hint shows the shape; the dots are to be filled in.
# said: Answer with a dict of these keys
answer = {"look first": ..., "count first": ..., "own key": ...}

# %% wrong: a list
# misconception: wrong shape
# why: Without names nobody knows which answer is meant for which question.
# said: Answer with a dict of these keys
answer = [False, True, False]

# %% wrong: words
# misconception: wrong shape
# why: A word in quotes is a text.
# said: Answer with a dict of these keys: .* each True or False
answer = {"look first": "False", "count first": "True", "own key": "False"}

# %% wrong: numbers
# misconception: wrong shape
# why: The question is answered by True or False.
# said: Answer with a dict of these keys: .* each True or False
answer = {"look first": 0, "count first": 1, "own key": 0}

# %% wrong: two of three
# misconception: incomplete
# why: Three questions have three answers.
# said: Answer with a dict of these keys
answer = {"look first": False, "count first": True}

# %% wrong: a misspelt name
# misconception: wrong name
# why: The names are those of the exercise, letter by letter.
# said: Answer with a dict of these keys
answer = {"look-first": False, "count-first": True, "own-key": False}
