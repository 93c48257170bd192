"""`run_console`: what the command line calls: the console on the engine behind a socket."""

from __future__ import annotations

from .feed import Connected


def run_console(
    socket: str,
    *,
    owns: str | None,
    read_only: bool,
    ascii: bool,
    theme: str | None,
    target: str | None = None,
) -> int:
    """Run the console until it is left; the exit code. The terminal is as before, however it ended.

    A hang-up or SIGTERM ends it without a question and leaves pods alone.
    """
    from .app import QuarterdeckApp

    async def connect() -> Connected:
        # Loaded while the first picture is already on the screen.
        from quarterdeck import __version__
        from quarterdeck.engine.api.client import connect as dial

        return await dial(socket, __version__)

    app = QuarterdeckApp(
        connect, owns=owns, read_only=read_only, ascii=ascii, theme=theme, target=target, socket=socket
    )
    code = app.run()
    return code if code is not None else app.return_code or 0
