"""Which of three changes to the notice board hold?"""
# exercise: 03_notice_boards exercise-1-answer

# %% right: a dict
answer = {"both at once": False, "counted": False, "mute": True}

# %% right: dict() of pairs, in another order
answer = dict([("mute", True), ("counted", False), ("both at once", False)])

# %% right: only one holds
answer = {name: name == "mute" for name in ["both at once", "counted", "mute"]}

# %% right: the search is asked
answer = {
    "both at once": explore(**at_once).holds,
    "counted": explore(**counted).holds,
    "mute": explore(**mute).holds,
}

# %% right: filled in
answer = dict.fromkeys(["both at once", "counted", "mute"], False)
answer["mute"] = True

# %% wrong: both at once holds, counted holds, mute holds
# misconception: optimism
# why: The stamp is taken before the step; the older one can be set last.
# said: 1 of 3 is right. Not so: 'both at once', 'counted'
answer = {"both at once": True, "counted": True, "mute": True}

# %% wrong: both at once holds, counted holds, mute breaks
# misconception: one step is enough
# why: The stamp is taken before the step; the older one can be set last.
# said: 0 of 3 are right. Not so: 'both at once', 'counted', 'mute'
answer = {"both at once": True, "counted": True, "mute": False}

# %% wrong: both at once holds, counted breaks, mute holds
# misconception: one step is enough
# why: The stamp is taken before the step; the older one can be set last.
# said: 2 of 3 are right. Not so: 'both at once'
answer = {"both at once": True, "counted": False, "mute": True}

# %% wrong: both at once holds, counted breaks, mute breaks
# misconception: one step is enough
# why: The stamp is taken before the step; the older one can be set last.
# said: 1 of 3 is right. Not so: 'both at once', 'mute'
answer = {"both at once": True, "counted": False, "mute": False}

# %% wrong: both at once breaks, counted holds, mute holds
# misconception: a good number is enough
# why: A worker that dies after SET and before PUBLISH wakes nobody.
# said: 2 of 3 are right. Not so: 'counted'
answer = {"both at once": False, "counted": True, "mute": True}

# %% wrong: both at once breaks, counted holds, mute breaks
# misconception: a good number is enough
# why: A worker that dies after SET and before PUBLISH wakes nobody.
# said: 1 of 3 is right. Not so: 'counted', 'mute'
answer = {"both at once": False, "counted": True, "mute": False}

# %% wrong: both at once breaks, counted breaks, mute breaks
# misconception: pessimism
# why: It is worth time only: the watcher looks again anyway.
# said: 2 of 3 are right. Not so: 'mute'
answer = {"both at once": False, "counted": False, "mute": False}

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
answer = {"both at once": ..., "counted": ..., "mute": ...}

# %% wrong: a list
# misconception: wrong shape
# why: Without names nobody knows which answer is meant for which question.
# said: Answer with a dict of these keys
answer = [False, False, True]

# %% wrong: words
# misconception: wrong shape
# why: A word in quotes is a text.
# said: Answer with a dict of these keys: .* each True or False
answer = {"both at once": "False", "counted": "False", "mute": "True"}

# %% wrong: numbers
# misconception: wrong shape
# why: The question is answered by True or False.
# said: Answer with a dict of these keys: .* each True or False
answer = {"both at once": 0, "counted": 0, "mute": 1}

# %% wrong: two of three
# misconception: incomplete
# why: Three questions have three answers.
# said: Answer with a dict of these keys
answer = {"both at once": False, "counted": False}

# %% wrong: a misspelt name
# misconception: wrong name
# why: The names are those of the exercise, letter by letter.
# said: Answer with a dict of these keys
answer = {"Both At Once": False, "counted": False, "mute": True}
