"""How does `class C(*names)` come out? In all 15 orders of all subsets."""
# exercise: 06_super_and_the_mro exercise-1
# call: mark_prediction(answer, [Filtered, Sorted, Listing], "get_context")


# %% right: questions in the order in which Python asks them
def answer(names):
    if {"Listing", "Sorted"} <= set(names) and names.index("Listing") < names.index("Sorted"):
        return "no MRO"
    if not {"Listing", "Sorted"} & set(names):
        return "raised"
    base = names.index("Listing") if "Listing" in names else names.index("Sorted")
    return "dropped" if "Filtered" in names and names.index("Filtered") > base else "complete"


# %% right: Python is asked
def answer(names):
    try:
        made = type(
            "C",
            tuple({"Listing": Listing, "Sorted": Sorted, "Filtered": Filtered}[n] for n in names),
            {},
        )
    except TypeError:
        return "no MRO"
    try:
        found = made().get_context()
    except AttributeError:
        return "raised"
    wanted = {"items"} | {name.lower() for name in names if name != "Listing"}
    return "complete" if wanted <= found.keys() else "dropped"


# %% right: match
def answer(names):
    match names:
        case ("Filtered",):
            return "raised"
        case [*_, "Listing", "Sorted"] | ["Listing", *_, "Sorted"] | ["Listing", "Sorted", *_]:
            return "no MRO"
        case ["Listing", "Filtered"] | ["Sorted", "Filtered"] | ["Sorted", "Listing", "Filtered"]:
            return "dropped"
        case _:
            return "complete"


# %% right: the order of the three is worked out by hand
def answer(names):
    mro = []
    for name in names:
        if name == "Sorted" and "Listing" in mro:
            return "no MRO"
        mro.append(name)
        if name == "Sorted" and "Listing" not in names:
            mro.append("Listing")
    if "Listing" not in mro:
        return "raised"
    return "dropped" if mro[-1] != "Listing" else "complete"


# %% right: rules in a table
RULES = [
    (lambda at: at("Listing") < at("Sorted") < 9, "no MRO"),
    (lambda at: at("Listing") == at("Sorted") == 9, "raised"),
    (
        lambda at: 9 > at("Filtered") > (at("Listing") if at("Listing") < 9 else at("Sorted")),
        "dropped",
    ),
    (lambda at: True, "complete"),
]


def answer(names):
    at = lambda name: names.index(name) if name in names else 9
    return next(word for rule, word in RULES if rule(at))


# %% wrong: always complete
# misconception: optimism
# why: It is so for the printed order, and for few others.
# said: Filtered\) you say 'complete'
def answer(names):
    return "complete"


# %% wrong: always dropped
# misconception: pessimism
# why: A class that stands alone drops nobody.
# said: you say 'dropped'
def answer(names):
    return "dropped"


# %% wrong: no MRO is never the case
# misconception: any order has an MRO
# why: A class may not stand before its own subclass.
# said: class C\(Listing, Sorted\) you say
def answer(names):
    if not {"Listing", "Sorted"} & set(names):
        return "raised"
    base = names.index("Listing") if "Listing" in names else names.index("Sorted")
    return "dropped" if "Filtered" in names and names.index("Filtered") > base else "complete"


# %% wrong: raised is never the case
# misconception: super() ends by itself
# why: Without a base behind it, super() looks in object, which has no get_context.
# said: class C\(Filtered\) you say
def answer(names):
    if {"Listing", "Sorted"} <= set(names) and names.index("Listing") < names.index("Sorted"):
        return "no MRO"
    return "complete" if names[0] == "Filtered" else "dropped"


# %% wrong: Filtered must be first
# misconception: only the first counts
# why: Between Sorted and Listing it is asked, too.
# said: you say
def answer(names):
    if {"Listing", "Sorted"} <= set(names) and names.index("Listing") < names.index("Sorted"):
        return "no MRO"
    if not {"Listing", "Sorted"} & set(names):
        return "raised"
    return "dropped" if "Filtered" in names[1:] else "complete"


# %% wrong: the base comes right behind Sorted, always
# misconception: depth first
# why: Listing is put off until all that come before it in the list have been.
# said: class C\(Sorted, Filtered, Listing\) you say 'dropped'
def answer(names):
    if {"Listing", "Sorted"} <= set(names) and names.index("Listing") < names.index("Sorted"):
        return "no MRO"
    if not {"Listing", "Sorted"} & set(names):
        return "raised"
    base = names.index("Sorted") if "Sorted" in names else names.index("Listing")
    return "dropped" if "Filtered" in names and names.index("Filtered") > base else "complete"


# %% wrong: the last one is asked first
# misconception: right to left
# why: Python goes from left to right.
# said: you say
def answer(names):
    if {"Listing", "Sorted"} <= set(names) and names.index("Listing") > names.index("Sorted"):
        return "no MRO"
    if not {"Listing", "Sorted"} & set(names):
        return "raised"
    return "complete"


# %% wrong: by the number of bases
# misconception: hard-coding
# why: How many there are decides nothing.
# said: you say
def answer(names):
    return {1: "complete", 2: "dropped", 3: "no MRO"}[len(names)]


# %% wrong: the word in capitals
# misconception: wrong word
# why: The four words are those of the exercise.
# said: you say 'COMPLETE'
def answer(names):
    return "COMPLETE"


# %% wrong: a truth value
# misconception: wrong shape
# why: There are four answers, not two.
# said: you say True
def answer(names):
    return len(names) == 1


# %% wrong: prints the answer
# misconception: forgets to return
# why: Printing is not returning.
# said: you say None
def answer(names):
    print("complete")


# %% wrong: raises what it should name
# misconception: hiding behind an error
# why: The question is what happens, not to let it happen.
# said: raises
def answer(names):
    classes = {"Listing": Listing, "Sorted": Sorted, "Filtered": Filtered}
    type("C", tuple(classes[name] for name in names), {})().get_context()
    return "complete"


# %% wrong: swallows every error
# misconception: swallowing exceptions
# why: Two different errors become one answer.
# said: you say
def answer(names):
    classes = {"Listing": Listing, "Sorted": Sorted, "Filtered": Filtered}
    try:
        found = type("C", tuple(classes[name] for name in names), {})().get_context()
    except Exception:
        return "raised"
    return "complete" if len(found) == len(set(names) | {"Listing"}) else "dropped"


# %% wrong: equal to everything
# misconception: sabotage of the comparison
# why: The marker looks at the type before it compares.
# said: you say
class Any(str):
    def __eq__(self, other):
        return True

    __hash__ = None


def answer(names):
    return Any()


# %% wrong: a list, not a function
# misconception: hands in the result
# why: The marker asks for each order.
# said: Hand in your function itself
answer = ["complete"] * 15


# %% wrong: an endless loop
# misconception: endless loop
# why: It never answers.
# said: does not end
def answer(names):
    while names:
        pass


# %% wrong: remembers the order of the questions
# misconception: caching in a global
# why: It answers the fifteen questions in the order in which they came once; two are in the wrong place.
# said: you say
answers = iter(["raised", "complete", "complete"] + ["dropped"] * 12)


def answer(names):
    return next(answers)
