"""Renderers: from a plan, an outcome or diagnostics to text, markdown and JSON; masked and made harmless first."""
