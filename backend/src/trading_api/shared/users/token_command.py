"""The command line of tokens: `python -m trading_api token`, for trying out what needs a user."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trading_api.shared.users.errors import KeyUnusable
from trading_api.shared.users.signing import TokenRequest, parse_duration, signed_token, signing_key, write_secret
from trading_api.user_settings import ALGORITHMS

OK, FAILED, USAGE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Print a token, or write a new secret; `argv` is what follows the verb.

    Returns 0 when done, 1 when the key is of no use or the file cannot be written, 2 for wrong usage.
    """
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return USAGE if stop.code else OK
    try:
        print(_new_secret(options.new_secret) if options.new_secret else _token(options))
    except ValueError as error:
        return _fail(f"{parser.prog}: error: {error}", USAGE)
    except KeyUnusable as error:
        return _fail(f"{parser.prog}: {error}", FAILED)
    return OK


def _new_secret(path: Path) -> str:
    write_secret(path)
    return f"{path}: a new secret, mode 0600; users.key_file names it, with users.algorithm HS256"


def _token(options: argparse.Namespace) -> str:
    if not options.user:
        raise ValueError("say for whom: --user NAME (or make a secret: --new-secret FILE)")
    if (options.key_file is None) == (options.key_env is None):
        raise ValueError("say which key signs: either --key-file FILE or --key-env NAME")
    request = TokenRequest(options.user, parse_duration(options.expires), options.issuer, options.audience)
    key = signing_key(options.key_file, options.key_env, os.environ, options.algorithm)
    return signed_token(request, key, int(time.time()))


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_api token",
        description="Print a token (RFC 7519) for a user, to try out a server with users.mode: jwt.",
    )
    parser.add_argument("--user", metavar="NAME", help="who asks: the token's sub")
    parser.add_argument("--expires", default="1h", metavar="TIME", help="such as 90s, 15m, 1h, 7d (default: 1h)")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="an HS256 secret, or an RS256 private key as PEM")
    parser.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the key")
    parser.add_argument("--algorithm", choices=ALGORITHMS, help="default: RS256 for a PEM, else HS256")
    parser.add_argument("--issuer", default="", metavar="ISS", help="the token's iss")
    parser.add_argument("--audience", default="", metavar="AUD", help="the token's aud")
    parser.add_argument(
        "--new-secret", type=Path, metavar="FILE", help="write a new HS256 secret there, mode 0600, and nothing else"
    )
    return parser
