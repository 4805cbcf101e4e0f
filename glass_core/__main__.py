"""``python -m glass_core``."""

from glass_core.cli.main import main

if __name__ == "__main__":
    main()
