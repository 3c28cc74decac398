"""Cold outreach to startup founders, from one terminal, on your own machine."""

__version__ = "0.1.0"
