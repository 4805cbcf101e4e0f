"""``python -m glass_core``."""

from glass_core.cli import main

if __name__ == "__main__":
    main()
