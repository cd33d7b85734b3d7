"""From the settings to a broker."""

from __future__ import annotations

from functools import partial

from trading_api.broker_settings import BrokerSettings
from trading_api.modules.broker.account import DEMO, account_of
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.journal.journal import Journal
from trading_api.modules.broker.journal.standing import LEASE
from trading_api.modules.broker.link.address import quotes_urls
from trading_api.modules.broker.link.clock import wall_clock
from trading_api.modules.broker.link.quotes_link import QuotesLink
from trading_api.modules.broker.machinery import Machinery
from trading_api.modules.broker.market.linked_market import LinkedMarket
from trading_api.modules.broker.service import BrokerService
from trading_api.modules.broker.streams.streams import Streams
from trading_api.modules.broker.wire.updates import update_of
from trading_api.modules.broker.writer.commands import Commands
from trading_api.modules.broker.writer.writer import Writer
from trading_api.settings import Settings
from trading_api.shared.bus import open_bus
from trading_api.shared.lease import Lease
from trading_api.shared.lease_keeper import LeaseKeeper, holder_name
from trading_api.shared.store.address import orders_url
from trading_api.shared.store.engine import open_engine
from trading_api.shared.users import DEFAULT_USER


def open_service(settings: Settings) -> BrokerService:
    """A broker that has opened nothing yet. Raises StoreUrlError, BusUrlError."""
    terms = terms_of(settings.broker)
    return BrokerService(partial(make_machinery, settings, terms), terms)


def make_machinery(settings: Settings, terms: AccountTerms) -> Machinery:
    """All parts of a broker, put together. Raises StoreUrlError, BusUrlError."""
    engine = open_engine(orders_url(settings.store_url))
    bus = open_bus(settings.bus_url, settings.bus_token_file)
    journal = Journal(engine, terms)
    market = LinkedMarket(QuotesLink(quotes_urls(settings)), stale_quote_s=settings.broker.stale_quote_s)
    keeper = LeaseKeeper(Lease(engine, LEASE, holder=holder_name()))
    writer = Writer(journal, keeper, bus, market, partial(Desk, terms), clock=wall_clock, first_accounts=(DEMO,))
    commands = Commands(writer, bus)
    streams = Streams(
        journal,
        bus,
        subjects=writer.identity.subjects,
        account_of=lambda topic: account_of(topic.user or DEFAULT_USER).id,
        render=update_of,
        ask_equity=commands.equity,
    )
    writer.telling.listen(streams)
    return Machinery(
        engine=engine, bus=bus, journal=journal, market=market, writer=writer, commands=commands, streams=streams
    )


def terms_of(settings: BrokerSettings) -> AccountTerms:
    """Those on which every account trades."""
    return AccountTerms(
        balance=settings.balance,
        currency=settings.currency,
        commission_rate=settings.commission_rate,
        commission_per_share=settings.commission_per_share,
    )
