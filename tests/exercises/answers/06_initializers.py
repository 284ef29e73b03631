"""Three classes that each keep one argument, in every order."""
# exercise: 06_super_and_the_mro exercise-2
# call: mark_initializers(answer, {"Signed": "author", "Stamped": "stamp", "Tagged": "tag"})


# %% right: keyword only, and the rest goes on
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__(**rest)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% right: kept first, then passed on
class Signed:
    def __init__(self, author, **rest):
        self.author = author
        super().__init__(**rest)


class Stamped:
    def __init__(self, stamp, **rest):
        self.stamp = stamp
        super().__init__(**rest)


class Tagged:
    def __init__(self, tag, **rest):
        self.tag = tag
        super().__init__(**rest)


answer = (Tagged, Stamped, Signed)


# %% right: made by a function
def keeps(name, argument):
    def __init__(self, **given):
        if argument not in given:
            raise TypeError(f"{argument} is missing")
        setattr(self, argument, given.pop(argument))
        super(made, self).__init__(**given)

    made = type(name, (), {"__init__": __init__})
    return made


answer = [keeps("Signed", "author"), keeps("Stamped", "stamp"), keeps("Tagged", "tag")]


# %% right: a property
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self._author = author

    @property
    def author(self):
        return self._author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self._stamp = stamp

    stamp = property(lambda self: self._stamp)


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__(**rest)
        self._kept = {"tag": tag}

    @property
    def tag(self):
        return self._kept["tag"]


answer = [Signed, Stamped, Tagged]


# %% right: a root of their own
class Root:
    def __init__(self, **rest):
        if rest:
            raise TypeError(f"nobody takes {', '.join(rest)}")


class Signed(Root):
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped(Root):
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged(Root):
    def __init__(self, *, tag, **rest):
        super().__init__(**rest)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: as they were
# misconception: works in one order
# why: Each was written for its place; in another order somebody passes on what object refuses.
# said: Not yet: class C\(Stamped\) is made without stamp
class Signed:
    def __init__(self, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, stamp=None, **rest):
        self.stamp = stamp
        self.__dict__.update(rest)


class Tagged:
    def __init__(self, tag):
        super().__init__(tag)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one forgets super
# misconception: the last one need not call super()
# why: In another order it is not the last, and the arguments of those behind it are lost.
# said: loses|raises|accepts
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one takes no rest
# misconception: the others are not my business
# why: Called with the arguments of others it refuses them, or has nothing to pass on.
# said: raises TypeError
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag):
        super().__init__()
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one passes its own argument on
# misconception: everything goes on
# why: What a class keeps is not for the next one; object refuses it.
# said: raises TypeError
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__(tag=tag, **rest)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one has a default
# misconception: a default does no harm
# why: A missing argument is then no error, and nobody notices.
# said: is made without tag
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag=None, **rest):
        super().__init__(**rest)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one swallows what nobody takes
# misconception: the rest is dropped
# why: A misspelt argument disappears without a word.
# said: loses|accepts an argument|without
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__()
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one keeps everything
# misconception: everything is kept
# why: It keeps the arguments of others in their place, and misspelt ones too.
# said: without|accepts|loses
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, **rest):
        self.__dict__.update(rest)


answer = [Signed, Stamped, Tagged]


# %% wrong: one calls its parent by name
# misconception: super() is the parent
# why: `object.__init__` is not the next in the order; who stands behind is never asked.
# said: loses|raises|accepts
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        object.__init__(self)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one passes by position
# misconception: positions hold in every order
# why: Who comes next takes another argument; a position has no name.
# said: raises TypeError
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, tag, *rest):
        super().__init__(*rest)
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one knows the others
# misconception: it knows its neighbours
# why: It passes on what it has heard of, and drops the rest.
# said: accepts an argument 'typo'|loses|without
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, author=None, stamp=None, **rest):
        given = {"author": author, "stamp": stamp}
        super().__init__(**{k: v for k, v in given.items() if v})
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one swallows the error
# misconception: swallowing exceptions
# why: The TypeError of a misspelt argument is what the caller has to see.
# said: accepts an argument 'typo'|loses|without
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        try:
            super().__init__(**rest)
        except TypeError:
            pass
        self.tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one keeps it under another name
# misconception: wrong name
# why: The argument `tag` is to become the attribute `tag`.
# said: loses tag
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__(**rest)
        self.label = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one keeps it in the class
# misconception: an attribute of the class is one of the object
# why: The next object overwrites what the first one has kept.
# said: loses tag
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__(**rest)
        type(self).tag = tag


answer = [Signed, Stamped, Tagged]


# %% wrong: one keeps a word
# misconception: hard-coding
# why: It keeps what the marker gave the first time.
# said: loses tag
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        super().__init__(**rest)
        self.tag = "the tag"


answer = [Signed, Stamped, Tagged]


# %% wrong: one never ends
# misconception: endless loop
# why: It waits for an argument that nobody gives.
# said: does not end
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        while rest or tag:
            pass


answer = [Signed, Stamped, Tagged]


# %% wrong: one ends Python
# misconception: sabotage
# why: Ending the program is no way to refuse an argument.
# said: raises SystemExit
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


class Stamped:
    def __init__(self, *, stamp, **rest):
        super().__init__(**rest)
        self.stamp = stamp


class Tagged:
    def __init__(self, *, tag, **rest):
        raise SystemExit(tag)


answer = [Signed, Stamped, Tagged]


# %% wrong: an object in place of a class
# misconception: hands in the result
# why: The marker makes the objects, in every order.
# said: Hand in a list of your classes
class Signed:
    pass


answer = [Signed(), Signed(), Signed()]


# %% wrong: two of the three
# misconception: incomplete
# why: All three are to be repaired.
# said: Hand in the classes Signed, Stamped, Tagged
class Signed:
    def __init__(self, *, author, **rest):
        super().__init__(**rest)
        self.author = author


answer = [Signed]
