"""`python -m raylm` is the command line."""

from raylm.cli import main

if __name__ == "__main__":
    main()
