"""Refuse files over 1 MB: data is made by the simulator, not committed. A pre-commit hook."""

import sys
from pathlib import Path

LIMIT_BYTES = 1_000_000


def main(names: list[str]) -> int:
    """Print each file over the limit with its size; return 1 if there is one."""
    large = [name for name in names if Path(name).stat().st_size > LIMIT_BYTES]
    for name in large:
        size = Path(name).stat().st_size
        print(f"{name} has {size:,} bytes; at most {LIMIT_BYTES:,} are accepted")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
