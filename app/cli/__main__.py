"""`python -m app.cli` is `country-config`."""

from app.cli import main

main()
