"""The console and the command line: join the engine and the widgets."""
