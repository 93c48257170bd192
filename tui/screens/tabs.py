"""The tabs of the pane, in their order."""

from __future__ import annotations

from .details import DetailsTab
from .events import EventsTab
from .logs import LogsTab
from .tab import Tab

TABS: tuple[type[Tab], ...] = (LogsTab, DetailsTab, EventsTab)
