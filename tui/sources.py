"""`ControlLogs`: logs for the log view, read through `Control`; its errors become the view's."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.engine.errors import EngineUnreachable, QuarterdeckError
from quarterdeck.engine.model import LogChunk, LogRun, PodKey
from quarterdeck.widgets.logsource import LogUnavailable

from .session import Session


class ControlLogs:
    """A `LogSource` over whatever line the session has at the moment."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def runs(self, pod: PodKey) -> Sequence[LogRun]:
        """See `LogSource.runs`."""
        try:
            return await self._session.engine().log_runs(pod)
        except QuarterdeckError as error:
            raise _unavailable(error) from None

    async def read(self, pod: PodKey, run: int, offset: int, limit: int) -> LogChunk:
        """See `LogSource.read`."""
        try:
            return await self._session.engine().read_log(pod, run, offset, limit)
        except QuarterdeckError as error:
            raise _unavailable(error) from None


def _unavailable(error: QuarterdeckError) -> LogUnavailable:
    return LogUnavailable(error.message, lost=isinstance(error, EngineUnreachable))
