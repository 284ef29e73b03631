"""Which of three changes to the chat room hold?"""
# exercise: 01_pubsub exercise-1-answer

# %% right: a dict
answer = {"publish first": False, "send again": False, "mute": True}

# %% right: dict() of pairs, in another order
answer = dict([("mute", True), ("send again", False), ("publish first", False)])

# %% right: only one holds
answer = {name: name == "mute" for name in ["publish first", "send again", "mute"]}

# %% right: the search is asked
answer = {
    "publish first": explore(**published_first).holds,
    "send again": explore(**sent_again).holds,
    "mute": explore(**muted).holds,
}

# %% right: filled in
answer = dict.fromkeys(["publish first", "send again", "mute"], False)
answer["mute"] = True

# %% wrong: publish first holds, send again holds, mute holds
# misconception: optimism
# why: A message that is published first can come before the history has it and before it is heard.
# said: 1 of 3 is right. Not so: 'publish first', 'send again'
answer = {"publish first": True, "send again": True, "mute": True}

# %% wrong: publish first holds, send again holds, mute breaks
# misconception: the order of two steps
# why: A message that is published first can come before the history has it and before it is heard.
# said: 0 of 3 are right. Not so: 'publish first', 'send again', 'mute'
answer = {"publish first": True, "send again": True, "mute": False}

# %% wrong: publish first holds, send again breaks, mute holds
# misconception: the order of two steps
# why: A message that is published first can come before the history has it and before it is heard.
# said: 2 of 3 are right. Not so: 'publish first'
answer = {"publish first": True, "send again": False, "mute": True}

# %% wrong: publish first holds, send again breaks, mute breaks
# misconception: the order of two steps
# why: A message that is published first can come before the history has it and before it is heard.
# said: 1 of 3 is right. Not so: 'publish first', 'mute'
answer = {"publish first": True, "send again": False, "mute": False}

# %% wrong: publish first breaks, send again holds, mute holds
# misconception: retry without a key
# why: The message whose reply was lost is stored; sent again, it is there twice.
# said: 2 of 3 are right. Not so: 'send again'
answer = {"publish first": False, "send again": True, "mute": True}

# %% wrong: publish first breaks, send again holds, mute breaks
# misconception: retry without a key
# why: The message whose reply was lost is stored; sent again, it is there twice.
# said: 1 of 3 is right. Not so: 'send again', 'mute'
answer = {"publish first": False, "send again": True, "mute": False}

# %% wrong: publish first breaks, send again breaks, mute breaks
# misconception: pessimism
# why: It is worth time only: the reader looks again anyway.
# said: 2 of 3 are right. Not so: 'mute'
answer = {"publish first": False, "send again": False, "mute": False}

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
answer = {"publish first": ..., "send again": ..., "mute": ...}

# %% wrong: a list
# misconception: wrong shape
# why: Without names nobody knows which answer is meant for which question.
# said: Answer with a dict of these keys
answer = [False, False, True]

# %% wrong: words
# misconception: wrong shape
# why: A word in quotes is a text.
# said: Answer with a dict of these keys: .* each True or False
answer = {"publish first": "False", "send again": "False", "mute": "True"}

# %% wrong: numbers
# misconception: wrong shape
# why: The question is answered by True or False.
# said: Answer with a dict of these keys: .* each True or False
answer = {"publish first": 0, "send again": 0, "mute": 1}

# %% wrong: two of three
# misconception: incomplete
# why: Three questions have three answers.
# said: Answer with a dict of these keys
answer = {"publish first": False, "send again": False}

# %% wrong: a misspelt name
# misconception: wrong name
# why: The names are those of the exercise, letter by letter.
# said: Answer with a dict of these keys
answer = {"Publish First": False, "send again": False, "mute": True}
