#!/usr/bin/python3
"""Runs a command beside a fresh engine, which is stopped afterwards.

    with_engine.py --binary .build/release/heliograph -- COMMAND [ARGUMENT…]

`{addresses}`, `{ingest}` and `{companion}` in the arguments become the engine's addresses.json and
base URLs; HELIOGRAPH_ADDRESSES in the command's environment is the same file.
"""

import argparse
import os
import subprocess
import sys

from engine import Engine, EngineError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    try:
        engine = Engine(arguments.binary)
    except EngineError as error:
        sys.exit(f"with_engine: {error}")
    status = 1
    try:
        engine.start()
        command = [part.format(addresses=engine.addresses_file, ingest=engine.ingest,
                               companion=engine.companion) for part in arguments.command]
        environment = {**os.environ, "HELIOGRAPH_ADDRESSES": str(engine.addresses_file)}
        status = subprocess.run(command, env=environment, check=False).returncode
        seconds = engine.stop()
        if seconds > 10:
            print(f"with_engine: the engine took {seconds:.1f} s to leave, 10 s is most")
            status = status or 1
    except EngineError as error:
        print(f"with_engine: {error}")
        status = 1
    finally:
        engine.clean_up(keep=arguments.keep or status != 0)
    return status


if __name__ == "__main__":
    sys.exit(main())
