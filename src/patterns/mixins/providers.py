"""Contexts without inheritance: a list of functions, called one after the other.

The idea is the "context providers" that close David Wolever's "The Sadness of Python's
super()" (2014). Three things are decided here that the sketch left to chance: the order
(as listed), conflicts (an error that names both sides) and laziness (`Later`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Provider = Callable[[Any], Mapping[str, Any]]


class KeyConflict(ValueError):
    """Two providers give the same key."""

    def __init__(self, key: str, first: str, second: str) -> None:
        super().__init__(key, first, second)
        self.key, self.first, self.second = key, first, second

    def __str__(self) -> str:
        what = f"{self.first!r} and {self.second!r} both provide {self.key!r}"
        return f"{what}: rename the key, or leave one out with without({self.first!r})"


class MalformedContext(TypeError):
    """A provider returned something that is not a mapping with string keys."""


class Later:
    """A value that is computed when it is first read, at most once for each context and thread."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self.compute = compute


class Context(Mapping[str, Any]):
    """What the providers gave: all keys are known, a `Later` value is computed when read."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        while isinstance(value, Later):
            value = self._values[key] = value.compute()
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        shown = {k: "later" if isinstance(v, Later) else v for k, v in self._values.items()}
        return f"Context({shown})"


class ContextProviders:
    """An immutable list of named functions `(subject) -> mapping`.

    The name of a provider is the name of its function or class. Raises `TypeError` for
    something that cannot be called and `ValueError` for a name given twice, at once.
    """

    def __init__(self, *providers: Provider) -> None:
        self._providers: dict[str, Provider] = {}
        for provider in providers:
            if not callable(provider):
                raise TypeError(f"a provider is called with the subject: {provider!r} cannot be")
            name = getattr(provider, "__name__", type(provider).__name__)
            if name in self._providers:
                raise ValueError(f"two providers are called {name!r}: give one another name")
            self._providers[name] = provider

    def with_(self, *providers: Provider) -> ContextProviders:
        """Return a new list with these after the others; this one stays as it is."""
        return ContextProviders(*self._providers.values(), *providers)

    def without(self, *names: str) -> ContextProviders:
        """Return a new list without the named ones; `LookupError` if there is none such."""
        for name in names:
            if name not in self._providers:
                raise LookupError(f"no provider {name!r}, only {', '.join(self._providers)}")
        return ContextProviders(*(p for n, p in self._providers.items() if n not in names))

    def collect(self, subject: Any) -> Context:
        """Call every provider once, in order, and return what they give together.

        Raises `KeyConflict` if two give one key and `MalformedContext` if one gives no
        mapping of strings. An exception of a provider passes through, nothing is swallowed.
        """
        values: dict[str, Any] = {}
        given_by: dict[str, str] = {}
        for name, provider in self._providers.items():
            given = provider(subject)
            if not isinstance(given, Mapping):
                raise MalformedContext(f"{name!r} gave {given!r}, not a mapping of string keys")
            for key, value in given.items():
                if not isinstance(key, str):
                    raise MalformedContext(f"{name!r} gave the key {key!r}, which is no string")
                if key in given_by:
                    raise KeyConflict(key, given_by[key], name)
                values[key], given_by[key] = value, name
        return Context(values)

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._providers.values())

    def __repr__(self) -> str:
        return f"ContextProviders({', '.join(self._providers)})"
