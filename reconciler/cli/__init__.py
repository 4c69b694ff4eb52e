"""The command line: the only place that knows typer, streams, prompts and exit codes."""
