"""What a simulated world is made of: its size, its faults and its calendar."""

import math
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta

MICROSECONDS_PER_DAY = 86_400_000_000

# Columns and fields that come and go (docs/feeds.md names the same days).
CRM_DAYS_WITHOUT_PHONE = frozenset({2, 3})
CRM_PREFERRED_LANGUAGE_FROM_DAY = 5
CLICK_AB_TEST_FROM_DAY = 3
CLICK_TEXT_PRODUCT_ID_FROM_DAY = 5
CLICK_UTM_SOURCE_FROM_DAY = 7

JOINING_DAYS = 30
MAX_SHARE = 0.5
MAX_CUSTOMERS = 100_000_000

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SimulationError(Exception):
    """The simulation cannot be started or continued; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters that, with a day number, decide every byte of that day.

    Shares are fractions in [0, 0.5]: `late`, `out_of_order` and `duplicated` of all records,
    `deleted` of all changes after the initial load, `malformed` of well-formed records (each adds
    one malformed record).

    Raises SimulationError if a value is out of its range.
    """

    customers: int
    seed: int
    start: date
    late: float
    out_of_order: float
    duplicated: float
    deleted: float
    malformed: float

    def __post_init__(self) -> None:
        if not 1 <= self.customers <= MAX_CUSTOMERS:
            raise SimulationError(f"customers is {self.customers}: expected a whole number from 1 to {MAX_CUSTOMERS}.")
        if not 0 <= self.seed < 2**63:
            raise SimulationError(f"seed is {self.seed}: expected a whole number from 0 to 2^63-1.")
        if not 1990 <= self.start.year <= 2200:
            raise SimulationError(f"start is {self.start}: expected a year from 1990 to 2200.")
        for name in ("late", "out_of_order", "duplicated", "deleted", "malformed"):
            share = getattr(self, name)
            if not (math.isfinite(share) and 0 <= share <= MAX_SHARE):
                raise SimulationError(f"{name} is {share}: expected a share from 0 to {MAX_SHARE} (0.02 is 2 %).")

    @property
    def initial_customers(self) -> int:
        """Customers who exist before day 1; the others join during the first 30 days."""
        return self.customers - self.customers // 10

    def customers_on(self, day: int) -> int:
        """Customers who have joined by the end of `day` (0: before the first)."""
        joining = self.customers - self.initial_customers
        return self.initial_customers + joining * min(day, JOINING_DAYS) // JOINING_DAYS

    def date_of(self, day: int) -> date:
        """Calendar date of `day`, counted from 1."""
        return self.start + timedelta(days=day - 1)

    def start_of(self, day: int) -> int:
        """Midnight at which `day` begins, in microseconds since 1970-01-01 UTC."""
        return (self.date_of(day) - EPOCH.date()).days * MICROSECONDS_PER_DAY

    def as_json(self) -> dict[str, object]:
        """The settings as a JSON object."""
        return {**asdict(self), "start": self.start.isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> "Settings":
        """The inverse of `as_json`."""
        known = {field.name: values[field.name] for field in fields(cls)}
        return cls(**{**known, "start": date.fromisoformat(str(known["start"]))})  # type: ignore[arg-type]


def timestamp(microseconds: int) -> str:
    """ISO-8601 in UTC with six decimals and `Z`, from microseconds since 1970-01-01."""
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
