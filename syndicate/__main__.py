"""`python -m syndicate`, and the `syndicate` command."""

from syndicate.cli.main import main

if __name__ == "__main__":
    main()
