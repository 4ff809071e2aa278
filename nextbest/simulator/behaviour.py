"""What customers do on the web and in the app: clicks and logins."""

from collections.abc import Iterator
from typing import Any

from nextbest.simulator.randomness import Draws, increasing_times
from nextbest.simulator.settings import (
    CLICK_AB_TEST_FROM_DAY,
    CLICK_TEXT_PRODUCT_ID_FROM_DAY,
    CLICK_UTM_SOURCE_FROM_DAY,
    MICROSECONDS_PER_DAY,
    Settings,
    timestamp,
)
from nextbest.simulator.state import Body

_SESSIONS_PER_CUSTOMER_AND_DAY = 0.25
_CLICKS_PER_SESSION = 4
_LOGINS_PER_CUSTOMER_AND_DAY = 0.3
_ANONYMOUS = 0.25
_PRODUCTS = 200

_PAGES = ("home", "search", "accounts", "offers", "mortgages", "help")
_REFERRERS = (None, None, "https://search.example.com/", "https://news.example.org/cards")
_DEVICES = ("desktop", "mobile", "tablet", "app")
_AGENTS = {
    "desktop": "Mozilla/5.0 (X11; Linux x86_64) ExampleBrowser/12.0",
    "mobile": "Mozilla/5.0 (Linux; Android 15) ExampleBrowser/12.0 Mobile",
    "tablet": "Mozilla/5.0 (iPad; CPU OS 18_0) ExampleBrowser/11.2",
    "app": "BankApp/7.3 (iOS 18.0)",
}
_CHANNELS = ("web", "app", "app", "branch")
_PLACES = ("US-NY", "US-CA", "US-TX", "GB-LND", "DE-BE", "ES-MD", "PL-MZ", "JP-13", "BR-SP")
# The networks that are reserved for documentation.
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")


def clicks(settings: Settings, day: int, slot: int, slots: int, draws: Draws) -> Iterator[Body]:
    """The clicks of sessions that begin in period `slot` of `slots` of `day`, by session."""
    joined = settings.customers_on(day)
    sessions = draws.count(joined * _SESSIONS_PER_CUSTOMER_AND_DAY / slots)
    length = MICROSECONDS_PER_DAY // slots
    begin = settings.start_of(day) + slot * length
    number = 0
    for session, start in enumerate(increasing_times(draws, begin, length, sessions)):
        customer = None if draws.chance(_ANONYMOUS) else _active_customer(joined, draws)
        device = draws.pick(_DEVICES)
        shared: dict[str, Any] = {
            "customer_id": customer,
            "anonymous_id": f"a{draws.below(2**48):012x}",
            "session_id": f"s{day:05d}{slot:02d}{session:08d}",
        }
        address = _address(draws)
        moment = start
        for _ in range(draws.between(1, 2 * _CLICKS_PER_SESSION - 1)):
            yield _click(
                _event_id("c", day, slot, number, draws),
                shared,
                moment,
                device,
                address,
                day,
                draws,
            )
            number += 1
            moment += draws.between(200_000, 90_000_000)


def logins(settings: Settings, day: int, slot: int, slots: int, draws: Draws) -> Iterator[Body]:
    """The logins in period `slot` of `slots` of `day`, in order of time."""
    joined = settings.customers_on(day)
    number = draws.count(joined * _LOGINS_PER_CUSTOMER_AND_DAY / slots)
    length = MICROSECONDS_PER_DAY // slots
    begin = settings.start_of(day) + slot * length
    for index, moment in enumerate(increasing_times(draws, begin, length, number)):
        yield {
            "event_id": _event_id("l", day, slot, index, draws),
            "customer_id": _active_customer(joined, draws),
            "ts": timestamp(moment),
            "channel": draws.pick(_CHANNELS),
            "device": draws.pick(_DEVICES),
            "geo": draws.pick(_PLACES),
            "ip": _address(draws),
        }


def _click(
    event_id: str,
    shared: dict[str, Any],
    moment: int,
    device: str,
    address: str,
    day: int,
    draws: Draws,
) -> Body:
    product: int | str | None = None
    page = draws.pick(_PAGES)
    properties: dict[str, Any] = {"scroll_depth": draws.below(101)}
    if draws.chance(0.5):
        page, product = "product", 1 + draws.below(_PRODUCTS)
        properties["price"] = {"amount": f"{draws.below(500)}.99", "currency": "USD"}
    elif page == "search":
        properties["query"] = draws.pick(("winter jacket", "café", "low-rate card", '"exact"'))
    # A new release of the app sends the article number in place of the id.
    if day >= CLICK_TEXT_PRODUCT_ID_FROM_DAY and product is not None and draws.chance(0.05):
        product = f"sku-{product}"
    body: Body = {
        "event_id": event_id,
        **shared,
        "ts": timestamp(moment),
        "page": page,
        "product_id": product,
        "referrer": draws.pick(_REFERRERS),
        "device": device,
        "user_agent": _AGENTS[device],
        "ip": address,
        "properties": properties,
    }
    if day >= CLICK_AB_TEST_FROM_DAY and draws.chance(0.5):
        body["ab_test"] = draws.pick(("A", "B"))
    if day >= CLICK_UTM_SOURCE_FROM_DAY and draws.chance(0.3):
        body["utm_source"] = draws.pick(("newsletter", "search", "partner"))
    return body


def _event_id(prefix: str, day: int, slot: int, number: int, draws: Draws) -> str:
    # Unique by its place in the calendar; the tail keeps the ids of two seeds apart.
    return f"{prefix}{day:05d}{slot:02d}{number:09d}-{draws.below(2**32):08x}"


def _active_customer(joined: int, draws: Draws) -> int:
    # Squared: some customers come often, many rarely.
    return 1 + int(draws.uniform() ** 2 * joined)


def _address(draws: Draws) -> str:
    return f"{draws.pick(_NETWORKS)}{1 + draws.below(254)}"
