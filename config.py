"""What the installation decides, read once from the environment.

Policy values are never configuration. This module imports nothing from `voucher`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

Environment = Literal["production", "demo", "test"]
LedgerHash = Literal["sha256", "sm3"]
PasswordProfile = Literal["mlps", "nist"]
Argon2Profile = Literal["full", "test"]
MailEncryption = Literal["starttls", "implicit", "none"]

ROOT: Final = Path(__file__).resolve().parent
INSTANCE: Final = ROOT / "instance"
ENV_FILE: Final = INSTANCE / "env"

_SECRET_BYTES: Final = 32
_MIB: Final = 1024 * 1024
_MAX_UPLOAD_DEFAULT: Final = 20 * _MIB
_MAX_UPLOAD_LIMIT: Final = 200 * _MIB
_TEST_SECRET: Final = "test-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105 (refused outside VOUCHER_ENV=test)
_TEST_QR_KEYS: Final = "01:" + "a1b2c3d4" * 8
_DECISIVE: Final = ("VOUCHER_ENV", "SECRET_KEY", "QR_KEYS", "DATABASE_URL")
_WEAK: Final = re.compile(r"change.?me|default|example|password|secret|test-only", re.IGNORECASE)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SENDER: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_TOKEN: Final = re.compile(r"[\x21-\x7e]{16,400}", re.ASCII)
_QR_KEY: Final = re.compile(r"([0-9]{2}):((?:[0-9A-Fa-f]{2})+)", re.ASCII)


class ConfigError(Exception):
    """A variable is missing or unusable. `variable` names it; the text says what is expected."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable


@dataclass(frozen=True, kw_only=True)
class QrKey:
    """A key that signs session codes: `kid` 0 to 99 stands in the code, `key` never leaves the process."""

    kid: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """The mail server that takes what people are told, and the address that it comes from."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    encryption: MailEncryption = "starttls"


@dataclass(frozen=True, kw_only=True)
class MessageGateway:
    """The HTTP gateway that takes SMS and WeChat messages."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one process. Values that may hold a password or a key are left out of `repr`.

    `qr_keys`: the first one signs, all of them verify. `public_host`: what QR codes point to; None means the host
    the request came to. `max_upload`: bytes. `migration_database_url` is the owner role's, `audit_database_url`
    (may be None) the read-only role's. `trusted_proxies`: how many reverse proxies in front set X-Forwarded-For and
    X-Forwarded-Proto; 0, the default, believes neither. `mail`, `gateway` and `message_sink` are the ways out for
    messages (None: that way is shut); the sink, a folder, stands in for the others and never in production.
    """

    environment: Environment
    database_url: str = field(repr=False)
    migration_database_url: str = field(repr=False)
    audit_database_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    qr_keys: tuple[QrKey, ...]
    files_dir: Path
    anchor_dir: Path
    ledger_hash: LedgerHash
    password_profile: PasswordProfile
    argon2_profile: Argon2Profile
    public_host: str | None
    max_upload: int
    trusted_proxies: int = 0
    mail: MailServer | None = field(default=None, repr=False)
    gateway: MessageGateway | None = None
    message_sink: Path | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the environment, or the mapping given instead of it.

        Where the process environment decides nothing (`VOUCHER_ENV`, `SECRET_KEY`, `QR_KEYS` and `DATABASE_URL` are
        all unset), `instance/env`, which `make run` writes, is read in its place, so that the command line works on
        the demo. Raises ConfigError naming the variable.
        """
        env = _process_environment() if environ is None else environ
        environment = cast(
            Environment,
            _one_of(env, name="VOUCHER_ENV", default="production", allowed=("production", "demo", "test")),
        )
        is_test = environment == "test"
        database_url = _database_url(env, name="DATABASE_URL") or f"sqlite:///{INSTANCE / 'voucher.db'}"
        argon2 = _one_of(env, name="ARGON2", default="test" if is_test else "full", allowed=("full", "test"))
        if argon2 == "test" and not is_test:
            raise ConfigError("ARGON2", "the cheap profile is for VOUCHER_ENV=test only")
        return cls(
            environment=environment,
            database_url=database_url,
            migration_database_url=_database_url(env, name="MIGRATION_DATABASE_URL") or database_url,
            audit_database_url=_database_url(env, name="AUDIT_DATABASE_URL"),
            secret_key=_secret_key(env, is_test=is_test),
            qr_keys=_qr_keys(env, is_test=is_test),
            files_dir=_folder(env, name="FILES_DIR", default=INSTANCE / "files"),
            anchor_dir=_folder(env, name="ANCHOR_DIR", default=INSTANCE / "anchors"),
            ledger_hash=cast(
                LedgerHash, _one_of(env, name="LEDGER_HASH", default="sha256", allowed=("sha256", "sm3"))
            ),
            password_profile=cast(
                PasswordProfile,
                _one_of(env, name="PASSWORD_PROFILE", default="mlps", allowed=("mlps", "nist")),
            ),
            argon2_profile=cast(Argon2Profile, argon2),
            public_host=_public_host(env),
            max_upload=_max_upload(env),
            trusted_proxies=_trusted_proxies(env),
            mail=_mail(env, is_test=is_test),
            gateway=_gateway(env, is_test=is_test),
            message_sink=_message_sink(env, in_production=environment == "production"),
        )


def _process_environment() -> Mapping[str, str]:
    if any(os.environ.get(name) for name in _DECISIVE) or not ENV_FILE.is_file():
        return os.environ
    lines = (line.partition("=") for line in ENV_FILE.read_text(encoding="ascii").splitlines() if "=" in line)
    return {**{name: value for name, _, value in lines}, **os.environ}


def _one_of(env: Mapping[str, str], *, name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name) or default
    if value not in allowed:
        raise ConfigError(name, f"must be one of {', '.join(allowed)}")
    return value


def _database_url(env: Mapping[str, str], *, name: str) -> str | None:
    """Only the two databases that the product supports; PostgreSQL is always reached through psycopg 3."""
    value = env.get(name)
    if not value:
        return None
    scheme, separator, rest = value.partition("://")
    if separator and scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and rest != "/" and ":memory:" not in rest:
        return value
    raise ConfigError(name, "must be sqlite:///FILE or postgresql://USER@HOST/DATABASE")


def _secret_key(env: Mapping[str, str], *, is_test: bool) -> str:
    value = env.get("SECRET_KEY") or (_TEST_SECRET if is_test else "")
    if not value:
        raise ConfigError("SECRET_KEY", f"is not set; give it {_SECRET_BYTES} or more random characters")
    if is_test:
        return value
    if len(value) < _SECRET_BYTES or len(set(value)) < 10 or _WEAK.search(value):
        raise ConfigError(
            "SECRET_KEY", f"is a default or weak value; give it {_SECRET_BYTES} or more random characters"
        )
    return value


def _qr_keys(env: Mapping[str, str], *, is_test: bool) -> tuple[QrKey, ...]:
    value = env.get("QR_KEYS") or (_TEST_QR_KEYS if is_test else "")
    expected = f"NN:HEX[,NN:HEX...], each key {_SECRET_BYTES} or more random bytes, the signing key first"
    if not value:
        raise ConfigError("QR_KEYS", f"is not set; expected {expected}")
    keys = []
    for part in value.split(","):
        match = _QR_KEY.fullmatch(part.strip())
        if match is None or len(match[2]) < 2 * _SECRET_BYTES:
            raise ConfigError("QR_KEYS", f"is malformed or too short; expected {expected}")
        key = bytes.fromhex(match[2])
        if not is_test and (len(set(key)) < 10):
            raise ConfigError("QR_KEYS", f"is a default or weak value; expected {expected}")
        keys.append(QrKey(kid=int(match[1]), key=key))
    if len({key.kid for key in keys}) != len(keys):
        raise ConfigError("QR_KEYS", "names the same key number twice")
    return tuple(keys)


def _folder(env: Mapping[str, str], *, name: str, default: Path) -> Path:
    value = env.get(name)
    if not value:
        return default
    if not Path(value).is_absolute():
        raise ConfigError(name, "must be an absolute path")
    return Path(value)


def _public_host(env: Mapping[str, str]) -> str | None:
    value = env.get("PUBLIC_HOST")
    if not value:
        return None
    if _HOST.fullmatch(value) is None:
        raise ConfigError("PUBLIC_HOST", "must be HOST or HOST:PORT, without scheme and path")
    return value


def _max_upload(env: Mapping[str, str]) -> int:
    value = env.get("MAX_UPLOAD")
    if not value:
        return _MAX_UPLOAD_DEFAULT
    if re.fullmatch(r"[0-9]{1,10}", value, re.ASCII) is None or not 0 < int(value) <= _MAX_UPLOAD_LIMIT:
        raise ConfigError("MAX_UPLOAD", f"must be a number of bytes from 1 to {_MAX_UPLOAD_LIMIT}")
    return int(value)


def _trusted_proxies(env: Mapping[str, str]) -> int:
    value = env.get("TRUSTED_PROXIES") or "0"
    if re.fullmatch(r"[0-5]", value, re.ASCII) is None:
        raise ConfigError("TRUSTED_PROXIES", "must be the number of reverse proxies in front, from 0 to 5")
    return int(value)


def _mail(env: Mapping[str, str], *, is_test: bool) -> MailServer | None:
    """`smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS` with STARTTLS, `smtps://` with TLS from the first byte."""
    value = env.get("SMTP_URL")
    if not value:
        return None
    expected = "smtp[s]://[USER:PASSWORD@]HOST[:PORT]?from=ADDRESS[&tls=none]"
    parts = _split(value, name="SMTP_URL", schemes=("smtp", "smtps"), expected=expected)
    given = parse_qs(parts.query, keep_blank_values=True)
    sender = given.pop("from", [""])[0]
    plain = given.pop("tls", [""]) == ["none"]
    if given or parts.path not in ("", "/") or not _SENDER.fullmatch(sender):
        raise ConfigError("SMTP_URL", f"expected {expected}")
    if plain and (parts.scheme == "smtps" or not (is_test or parts.hostname in _LOOPBACK)):
        raise ConfigError("SMTP_URL", "tls=none is for a mail server on this machine only")
    secured: MailEncryption = "implicit" if parts.scheme == "smtps" else "starttls"
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or (465 if parts.scheme == "smtps" else 587),
        sender=sender,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encryption="none" if plain else secured,
    )


def _gateway(env: Mapping[str, str], *, is_test: bool) -> MessageGateway | None:
    value, token = env.get("MESSAGE_GATEWAY_URL"), env.get("MESSAGE_GATEWAY_TOKEN") or ""
    if not value:
        return None
    expected = "https://HOST[:PORT]/PATH"
    parts = _split(value, name="MESSAGE_GATEWAY_URL", schemes=("https", "http"), expected=expected)
    if parts.username or parts.password or parts.fragment:
        raise ConfigError("MESSAGE_GATEWAY_URL", "must hold neither a user nor a fragment")
    if parts.scheme == "http" and not (is_test or parts.hostname in _LOOPBACK):
        raise ConfigError("MESSAGE_GATEWAY_URL", "must be https://, unless the gateway is on this machine")
    if not _TOKEN.fullmatch(token):
        raise ConfigError("MESSAGE_GATEWAY_TOKEN", "must be 16 to 400 characters without spaces")
    return MessageGateway(url=value, token=token)


def _message_sink(env: Mapping[str, str], *, in_production: bool) -> Path | None:
    if not env.get("MESSAGE_SINK_DIR"):
        return None
    if in_production:
        raise ConfigError("MESSAGE_SINK_DIR", "is for the demo; production has SMTP_URL, MESSAGE_GATEWAY_URL")
    return _folder(env, name="MESSAGE_SINK_DIR", default=INSTANCE)


def _split(value: str, *, name: str, schemes: tuple[str, ...], expected: str) -> SplitResult:
    """The parts of an address with a host and a usable port; ConfigError for anything else."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(name, f"expected {expected}")
    return parts
