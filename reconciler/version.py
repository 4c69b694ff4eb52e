"""The version of this program: it stands in plans and in what ``--version`` prints."""

__version__ = "0.1.0"
