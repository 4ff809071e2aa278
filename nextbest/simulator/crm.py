"""The customer relationship system: versions of customers, for the daily extract."""

from collections.abc import Iterator
from datetime import date, timedelta

from nextbest.simulator.feeds import CRM_EXTRACT_AT
from nextbest.simulator.randomness import Draws, increasing_times
from nextbest.simulator.settings import MICROSECONDS_PER_DAY, Settings, timestamp
from nextbest.simulator.state import Body, State

CUSTOMERS = "crm_customers"

_CHUNK = 1000
_CHANGES_PER_CUSTOMER_AND_DAY = 0.03
_TOUCHED_WITHOUT_CHANGE = 0.1
_REVIVAL = 0.3
_OLDEST = date(1935, 1, 1)

_FIRST_NAMES = (
    "Ada", "Amara", "Björn", "Chloë", "Dmitri", "Elena", "Fatima", "George", "Hana", "Iñigo",
    "José", "Kwame", "Łucja", "Mei", "Noor", "Olga", "Priya", "Quentin", "Rosa", "Søren",
    "Tomás", "Uma", "Victor", "Wen", "Ximena", "Yusuf", "Zoë", "伟", "さくら",
)  # fmt: skip
_LAST_NAMES = (
    "Adams", "Brown", "Chen", "D'Angelo", "Evans", "Fischer", "García", "Haddad", "Ivanova",
    "Johnson", "Kowalski", "Li", "Müller", "Nguyen", "O'Brien", "Patel", "Quispe", "Rossi",
    "Smith", "Tanaka", "Usman", "Vargas", "Williams", "Xu", "Young", "Zhang",
)  # fmt: skip
# Names that break careless quoting, in CSV and in SQL.
_AWKWARD_NAMES = (
    'Annabel "Nan" Lee',
    "Robert'); drop table customers;--",
    "Smith, Jane",
    "Back\\slash Ben",
    "{{ jinja }} Jo",
)
_SEGMENTS = ("mass", "mass", "mass", "affluent", "private", "student")
_LANGUAGES = ("en", "de", "es", "fr", "pl", "ja")


class Crm:
    """Generates the versions of one day after another; the customers are kept in `state`."""

    def __init__(self, settings: Settings, state: State) -> None:
        self._settings = settings
        self._state = state

    def initial_load(self, draws: Draws) -> Iterator[Body]:
        """One version of every customer who exists before day 1, by customer_id."""
        begin = self._settings.start_of(1)
        for first in range(1, self._settings.initial_customers + 1, _CHUNK):
            last = min(first + _CHUNK - 1, self._settings.initial_customers)
            ages = [draws.below(900 * MICROSECONDS_PER_DAY) for _ in range(first, last + 1)]
            yield from self._create([(first + i, begin - 1 - age) for i, age in enumerate(ages)], draws)

    def day(self, day: int, draws: Draws) -> Iterator[Body]:
        """The versions that arise on `day` before its extract, oldest first."""
        begin = self._settings.start_of(day)
        before, joined = self._settings.customers_on(day - 1), self._settings.customers_on(day)
        changes = draws.count(joined * _CHANGES_PER_CUSTOMER_AND_DAY)
        # The first hour is for joining, the rest for changes; updated_at rises throughout.
        hour = MICROSECONDS_PER_DAY // 24
        arrivals = increasing_times(draws, begin, hour, joined - before)
        for first in range(before + 1, joined + 1, _CHUNK):
            ids = range(first, min(first + _CHUNK, joined + 1))
            yield from self._create([(customer, next(arrivals)) for customer in ids], draws)
        times = increasing_times(draws, begin + hour, CRM_EXTRACT_AT - hour, changes)
        for first in range(0, changes, _CHUNK):
            plan = [(next(times), draws.between(1, joined)) for _ in range(min(_CHUNK, changes - first))]
            yield from self._change(plan, draws)

    def _create(self, plan: list[tuple[int, int]], draws: Draws) -> Iterator[Body]:
        objects: dict[int, Body] = {}
        for customer, moment in plan:
            objects[customer] = self._new_customer(customer, moment, draws)
            yield dict(objects[customer])
        self._state.save(CUSTOMERS, objects)

    def _change(self, plan: list[tuple[int, int]], draws: Draws) -> Iterator[Body]:
        objects = self._state.load(CUSTOMERS, [customer for _, customer in plan])
        for moment, customer in plan:
            old = objects[customer]
            if old["record_status"] == "deleted":
                if not draws.chance(_REVIVAL):
                    continue
                edit: Body = {"record_status": "active"}
            elif draws.chance(self._settings.deleted):
                edit = {"record_status": "deleted"}
            else:
                edit = self._edit(old, draws)
            objects[customer] = {**old, **edit, "updated_at": timestamp(moment)}
            yield dict(objects[customer])
        self._state.save(CUSTOMERS, objects)

    @staticmethod
    def _new_customer(customer: int, moment: int, draws: Draws) -> Body:
        name = f"{draws.pick(_FIRST_NAMES)} {draws.pick(_LAST_NAMES)}"
        if draws.chance(0.01):
            name = draws.pick(_AWKWARD_NAMES)
        birth_date = _OLDEST + timedelta(days=draws.below(26_000))
        return {
            "customer_id": customer,
            "full_name": name,
            "email": f"customer{customer}@example.com",
            "phone": _phone(draws),
            "birth_date": birth_date.isoformat() if draws.chance(0.97) else None,
            "segment": draws.pick(_SEGMENTS),
            "consent_personalization": draws.chance(0.8),
            "consent_marketing": draws.chance(0.5),
            "record_status": "active",
            "updated_at": timestamp(moment),
            "preferred_language": draws.pick(_LANGUAGES),
        }

    @staticmethod
    def _edit(old: Body, draws: Draws) -> Body:
        if draws.chance(_TOUCHED_WITHOUT_CHANGE):
            return {}
        what = draws.below(6)
        if what == 0:
            return {"email": f"customer{old['customer_id']}.{draws.below(1000)}@example.org"}
        if what == 1:
            return {"phone": _phone(draws) if draws.chance(0.9) else None}
        if what == 2:
            return {"segment": draws.pick(_SEGMENTS)}
        if what == 3:
            return {"full_name": f"{old['full_name'].split(' ')[0]} {draws.pick(_LAST_NAMES)}"}
        consent = "consent_personalization" if what == 4 else "consent_marketing"
        return {consent: not old[consent]}


def _phone(draws: Draws) -> str:
    # 555-0100 to 555-0199 are reserved for fiction.
    return f"+1-{draws.between(201, 989)}-555-01{draws.below(100):02d}"
