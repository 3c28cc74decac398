"""`python -m outreach`, and the console script."""

from outreach.cli import main

if __name__ == "__main__":
    main()
