"""Widgets: draw plain data from `quarterdeck.engine.model`; they know no engine."""
