"""`python -m otrdb.cli` is the same as the `otrdb` command."""

from otrdb.cli import main

if __name__ == "__main__":
    main()
