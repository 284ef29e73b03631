"""One dictionary from several classes that know nothing of one another."""
# exercise: 06_super_and_the_mro exercise-3
# call: mark_combination(answer)


# %% right: providers
def answer(halves):
    def provider(half):
        def give(page):
            return half().get_context()

        give.__name__ = half.__name__
        return give

    return ContextProviders(*map(provider, halves)).collect("page")


# %% right: a loop that looks before it adds
def answer(halves):
    found = {}
    for half in halves:
        for key, value in half().get_context().items():
            if key in found:
                raise ValueError(f"{half.__name__} gives {key!r} again")
            found[key] = value
    return found


# %% right: a comprehension, and a count
def answer(halves):
    pairs = [pair for half in halves for pair in half().get_context().items()]
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise KeyError(", ".join(twice))
    return dict(pairs)


# %% right: Python's own keyword arguments refuse a key that is given twice
def answer(halves):
    from functools import reduce

    def join(found, half):
        more = half().get_context()
        assert not found.keys() & more.keys(), f"given twice: {found.keys() & more.keys()}"
        return found | more

    return reduce(join, halves, {})


# %% right: a class that collects
class Collected(dict):
    def __setitem__(self, key, value):
        if key in self:
            raise LookupError(f"{key} is there already")
        super().__setitem__(key, value)


def answer(halves):
    collected = Collected()
    for half in halves:
        for key, value in half().get_context().items():
            collected[key] = value
    return collected


# %% right: a generator of the pairs
def answer(halves):
    def pairs():
        seen = set()
        for context in (half().get_context() for half in halves):
            if not seen.isdisjoint(context):
                raise RuntimeError(f"conflict over {sorted(seen & context.keys())}")
            seen |= context.keys()
            yield from context.items()

    return dict(pairs())


# %% wrong: inherits from all
# misconception: super() joins everything
# why: The first half's base ends the call; the halves behind it are never asked.
# said: gives the keys
def answer(halves):
    return type("Both", tuple(halves), {})().get_context()


# %% wrong: the last one wins
# misconception: a conflict is no error
# why: A key that two halves give is overwritten without a word.
# said: two halves that give the key 'same' must be an error
def answer(halves):
    found = {}
    for half in halves:
        found.update(half().get_context())
    return found


# %% wrong: the first one wins
# misconception: a conflict is no error
# why: setdefault keeps the first value and says nothing of the second.
# said: two halves that give the key 'same' must be an error
def answer(halves):
    found = {}
    for half in halves:
        for key, value in half().get_context().items():
            found.setdefault(key, value)
    return found


# %% wrong: ChainMap
# misconception: a conflict is no error
# why: A chain of dictionaries looks in the first one that has the key.
# said: two halves that give the key 'same' must be an error
def answer(halves):
    from collections import ChainMap

    return ChainMap(*(half().get_context() for half in halves))


# %% wrong: an error without the key
# misconception: an error that does not help
# why: Whoever reads "conflict" has to look for it himself.
# said: must be an error that names it
def answer(halves):
    found = {}
    for half in halves:
        context = half().get_context()
        if found.keys() & context.keys():
            raise ValueError("conflict")
        found |= context
    return found


# %% wrong: an error in every case
# misconception: hiding behind an error
# why: It names the key, also where there is nothing to complain about.
# said: raises ValueError: same
def answer(halves):
    raise ValueError("same")


# %% wrong: a literal
# misconception: hard-coding
# why: It is right for two halves of these names, and for nothing else.
# said: gives the keys
def answer(halves):
    return {"base of Half0": True, "key 0": True, "base of Half1": True, "key 1": True}


# %% wrong: a literal for each number of halves
# misconception: hard-coding
# why: The keys can be guessed from the names; the values cannot.
# said: with other values|gives the keys
def answer(halves):
    keys = [key for half in halves for key in half().get_context()]
    if len(set(keys)) < len(keys):
        raise ValueError(keys)
    return dict.fromkeys(keys, True)


# %% wrong: only the first half
# misconception: early return
# why: It is right for one half.
# said: combine\(\[Half0, Half1\]\) gives the keys
def answer(halves):
    return halves[0]().get_context()


# %% wrong: only two halves
# misconception: hard-coding
# why: There may be one, and there may be four.
# said: raises|gives the keys
def answer(halves):
    first, second = halves
    return first().get_context() | second().get_context()


# %% wrong: returns in the loop
# misconception: early return
# why: The return stands one level too deep, and ends the loop at the first half.
# said: gives the keys
def answer(halves):
    found = {}
    for half in halves:
        found |= half().get_context()
        return found


# %% wrong: the classes, not their answers
# misconception: forgets to call
# why: A class is not a context; it has to be made, and asked.
# said: raises|gives the keys
def answer(halves):
    return {half.__name__: half for half in halves}


# %% wrong: a list of contexts
# misconception: wrong shape
# why: The exercise asks for one dictionary.
# said: it gives a list, not a dictionary
def answer(halves):
    return [half().get_context() for half in halves]


# %% wrong: nothing
# misconception: forgets to return
# why: It collects everything, and gives nothing back.
# said: it gives a NoneType, not a dictionary
def answer(halves):
    found = {}
    for half in halves:
        found |= half().get_context()


# %% wrong: swallows what goes wrong
# misconception: swallowing exceptions
# why: The error that it should have raised is caught by itself.
# said: two halves that give the key 'same' must be an error
def answer(halves):
    found = {}
    for half in halves:
        try:
            for key, value in half().get_context().items():
                if key in found:
                    raise ValueError(key)
                found[key] = value
        except ValueError:
            continue
    return found


# %% wrong: renames what is there twice
# misconception: a conflict is no error
# why: Nobody who reads the context knows the new name.
# said: two halves that give the key 'same' must be an error
def answer(halves):
    found = {}
    for half in halves:
        for key, value in half().get_context().items():
            found[f"{key} of {half.__name__}" if key in found else key] = value
    return found


# %% wrong: remembers from call to call
# misconception: caching in a global
# why: What is left from the last call is a conflict in the next.
# said: raises|gives the keys
found = {}


def answer(halves):
    for half in halves:
        for key, value in half().get_context().items():
            if key in found:
                raise ValueError(key)
            found[key] = value
    return found


# %% wrong: prints a warning
# misconception: a conflict is no error
# why: A line on the screen stops nobody.
# said: two halves that give the key 'same' must be an error
def answer(halves):
    found = {}
    for half in halves:
        context = half().get_context()
        for key in found.keys() & context.keys():
            print("twice:", key)
        found |= context
    return found


# %% wrong: an endless loop
# misconception: endless loop
# why: It waits for halves that nobody adds.
# said: does not end
def answer(halves):
    while halves:
        pass
