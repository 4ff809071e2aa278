"""Seeded random draws: one independent stream per purpose and day."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 4096


class Draws:
    """Draws from the stream named by `path`, a tuple of non-negative integers.

    Everything is derived from uniform doubles, so that one generator call defines the stream.
    """

    def __init__(self, *path: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(path)))
        self.uniform = self._blocks().__next__

    def _blocks(self) -> Iterator[float]:
        while True:
            yield from self._generator.random(_BLOCK).tolist()

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.uniform() < probability

    def below(self, bound: int) -> int:
        """A whole number in [0, bound)."""
        return int(self.uniform() * bound)

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high], both included."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, values: Sequence[T]) -> T:
        """One of `values`, each equally likely."""
        return values[int(self.uniform() * len(values))]

    def count(self, expected: float) -> int:
        """A whole number whose mean is `expected`: its floor or its ceiling."""
        return int(expected + self.uniform())


def increasing_times(draws: Draws, start: int, length: int, number: int) -> Iterator[int]:
    """`number` different moments from `start` on, in order, one in each equal part of `length`.

    Needs no sort and no memory. Units are the caller's (microseconds here).
    """
    last = start - 1
    for index in range(number):
        # Neighbours may round to one moment, and a business clock must tell versions apart.
        last = max(last + 1, start + int((index + draws.uniform()) * length / number))
        yield last
