"""`python -m drorch`."""

from drorch.cli.main import main

if __name__ == "__main__":
    main()
