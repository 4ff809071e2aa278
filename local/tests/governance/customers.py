"""Who reads the table `customers` of the fixture, and what they see of it."""

from __future__ import annotations

ANN = "ann@bank.example"
BOB = "bob@bank.example"
CLEAR = [(1, "north", "ann@x.example"), (2, "south", "bob@x.example")]
MASKED = [(1, "north", "hidden"), (2, "south", "hidden")]
