"""`python -m tests.benchmarks NAME [ARGUMENTS]` runs one measured comparison and prints one JSON object."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys

import tests.benchmarks


def main() -> int:
    names = sorted(
        module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__) if module.name[0] != "_"
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: python -m tests.benchmarks {{{','.join(names)}}}", file=sys.stderr)
        return 2
    name = sys.argv.pop(1)
    json.dump(
        importlib.import_module(f"tests.benchmarks.{name}").main(), sys.stdout, indent=2, ensure_ascii=False
    )
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
