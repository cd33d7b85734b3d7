"""Holidays, late opens and early closes of the world's exchanges, from tables that `make calendars` writes.

exchange_calendars knows them all but needs pandas: about a second and 100 MiB a process. The tables need neither.
"""

from trading_api.modules.datafeed.calendars.table import calendar, calendar_codes
from trading_api.modules.datafeed.calendars.trading_calendar import Hours, TradingCalendar

__all__ = ["Hours", "TradingCalendar", "calendar", "calendar_codes"]
