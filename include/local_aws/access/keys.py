"""Access keys: those of a file, and the one that the server makes for itself and its jobs."""

from __future__ import annotations

import configparser
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path


class UnusableKeys(Exception):
    """The key file cannot be used; the text says why, and what to do."""


@dataclass(frozen=True)
class Key:
    """An access key; its secret does not show in representations."""

    id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def generated(cls) -> Key:
        """A key that nobody knows yet."""
        return cls(f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30))


def read_keys(file: Path) -> list[Key]:
    """The keys of a file in the format of `~/.aws/credentials`; profiles without a key of their own are skipped.

    Raises:
        UnusableKeys: it cannot be read, others than its owner can read it, or it holds no key.
    """
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableKeys(f"The key file {file} cannot be read: {error}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnusableKeys(f"The key file {file} is open to others than its owner: chmod 600 {file}")
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # The parser's own text quotes the line, which may hold a secret.
        raise UnusableKeys(f"The key file {file} is no AWS credentials file ({type(error).__name__}).") from None
    profiles = (parser[name] for name in parser.sections())
    keys = [
        Key(profile["aws_access_key_id"], profile["aws_secret_access_key"], profile.get("aws_session_token"))
        for profile in profiles
        if profile.get("aws_access_key_id") and profile.get("aws_secret_access_key")
    ]
    if not keys:
        raise UnusableKeys(
            f"The key file {file} holds no key: a profile needs aws_access_key_id and aws_secret_access_key."
        )
    return keys
