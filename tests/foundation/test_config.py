"""The configuration refuses to start on anything that nobody decided."""

from __future__ import annotations

import dataclasses
from hashlib import sha256
from pathlib import Path

import pytest

import config
from config import Config, ConfigError

KEY = sha256(b"a key of these tests").hexdigest()


def production(**overrides: str) -> dict[str, str]:
    """A sound production environment, with changes; an empty value stands for an unset variable."""
    sound = {
        "SECRET_KEY": KEY,
        "QR_KEYS": f"07:{KEY}",
        "DATABASE_URL": "postgresql://voucher@db.internal/voucher",
        "PUBLIC_HOST": "quan.example.gov.cn",
    }
    return {**sound, **overrides}


def test_a_sound_production_environment_is_read_whole() -> None:
    settings = Config.from_env(production(LEDGER_HASH="sm3", PASSWORD_PROFILE="nist", MAX_UPLOAD="1048576"))
    assert settings.environment == "production"
    assert settings.database_url == "postgresql+psycopg://voucher@db.internal/voucher"
    assert settings.migration_database_url == settings.database_url
    assert settings.audit_database_url is None
    assert [key.kid for key in settings.qr_keys] == [7]
    assert (settings.ledger_hash, settings.password_profile, settings.argon2_profile) == (
        "sm3",
        "nist",
        "full",
    )
    assert settings.max_upload == 1_048_576


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "change-me-" + "0123456789abcdef" * 4),
        ("SECRET_KEY", config._TEST_SECRET),
        ("QR_KEYS", ""),
        ("QR_KEYS", "01:abcd"),
        ("QR_KEYS", "1:" + KEY),
        ("QR_KEYS", KEY),
        ("QR_KEYS", "٠١:" + KEY),
        ("QR_KEYS", config._TEST_QR_KEYS),
        ("QR_KEYS", f"01:{KEY},01:{KEY}"),
        ("SMTP_URL", "mail.example.gov.cn"),
        ("SMTP_URL", "smtp://mail.example.gov.cn"),
        ("SMTP_URL", "smtp://mail.example.gov.cn?from=quan"),
        ("SMTP_URL", "smtp://mail.example.gov.cn:0x50?from=quan@example.gov.cn"),
        ("SMTP_URL", "smtp://mail.example.gov.cn?from=quan@example.gov.cn&tls=none"),
        ("SMTP_URL", "smtp://mail.example.gov.cn/inbox?from=quan@example.gov.cn"),
        ("SMTP_URL", "http://mail.example.gov.cn?from=quan@example.gov.cn"),
        ("MESSAGE_GATEWAY_URL", "http://gateway.example.gov.cn/send"),
        ("MESSAGE_GATEWAY_URL", "https://user:word@gateway.example.gov.cn/send"),
        ("MESSAGE_GATEWAY_URL", "ftp://gateway.example.gov.cn/send"),
        ("MESSAGE_SINK_DIR", "/var/tmp/out"),
        ("VOUCHER_ENV", "prod"),
        ("DATABASE_URL", "mysql://root@localhost/voucher"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("MIGRATION_DATABASE_URL", "oracle://x"),
        ("AUDIT_DATABASE_URL", "audit"),
        ("FILES_DIR", "uploads"),
        ("ANCHOR_DIR", "anchors"),
        ("LEDGER_HASH", "md5"),
        ("PASSWORD_PROFILE", "none"),
        ("ARGON2", "test"),
        ("PUBLIC_HOST", "https://quan.example.gov.cn/"),
        ("MAX_UPLOAD", "20MB"),
        ("MAX_UPLOAD", "0"),
        ("MAX_UPLOAD", "２０"),
        ("MAX_UPLOAD", "9999999999"),
    ],
)
def test_production_refuses_a_missing_default_or_bad_value_and_names_the_variable(
    variable: str, value: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        Config.from_env(production(**{variable: value}))
    assert refused.value.variable == variable
    assert str(refused.value).startswith(f"{variable}: ")
    if len(value) > 20:
        assert value not in str(refused.value), "a refused value may be a secret and is not repeated"


def test_production_is_what_runs_when_nobody_says_otherwise() -> None:
    with pytest.raises(ConfigError, match=r"^SECRET_KEY"):
        Config.from_env({})


def test_the_demo_needs_its_own_random_keys_too() -> None:
    with pytest.raises(ConfigError, match=r"^QR_KEYS"):
        Config.from_env(production(VOUCHER_ENV="demo", QR_KEYS=""))


def test_the_default_database_is_a_file_under_instance() -> None:
    settings = Config.from_env(production(DATABASE_URL=""))
    assert settings.database_url.endswith("/instance/voucher.db")
    assert settings.files_dir == config.INSTANCE / "files"


def test_tests_run_with_the_cheap_password_hash_and_nothing_set() -> None:
    assert Config.from_env({"VOUCHER_ENV": "test"}).argon2_profile == "test"


def test_the_first_key_signs_and_the_older_ones_still_verify() -> None:
    settings = Config.from_env(production(QR_KEYS=f"08:{KEY}, 07:{KEY}"))
    assert [key.kid for key in settings.qr_keys] == [8, 7]


def test_printing_the_settings_shows_no_key_and_no_password() -> None:
    environ = production(DATABASE_URL="postgresql://voucher:hunter2@db/voucher")
    shown = repr(Config.from_env(environ))
    assert "hunter2" not in shown
    assert environ["SECRET_KEY"] not in shown
    assert "b'" not in shown


def test_no_proxy_is_believed_unless_the_installation_says_how_many_there_are() -> None:
    assert Config.from_env(production()).trusted_proxies == 0
    assert Config.from_env(production(TRUSTED_PROXIES="1")).trusted_proxies == 1
    for wrong in ("yes", "-1", "6", "１"):
        with pytest.raises(ConfigError, match=r"^TRUSTED_PROXIES"):
            Config.from_env(production(TRUSTED_PROXIES=wrong))


def test_the_settings_cannot_be_changed_after_the_start() -> None:
    settings = Config.from_env(production())
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.max_upload = 1  # type: ignore[misc]


def test_the_command_line_finds_the_keys_that_make_run_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = production()
    env_file = tmp_path / "env"
    env_file.write_text(
        f"VOUCHER_ENV=demo\nSECRET_KEY={written['SECRET_KEY']}\nQR_KEYS={written['QR_KEYS']}\n"
    )
    monkeypatch.setattr(config, "ENV_FILE", env_file)
    for name in config._DECISIVE:
        monkeypatch.delenv(name, raising=False)
    assert Config.from_env().environment == "demo"
    monkeypatch.setenv("DATABASE_URL", written["DATABASE_URL"])
    with pytest.raises(ConfigError, match=r"^SECRET_KEY"):
        Config.from_env()


def test_the_ways_out_for_messages_are_read_whole() -> None:
    settings = Config.from_env(
        production(
            SMTP_URL="smtp://quan:p%40ss@mail.example.gov.cn?from=quan@example.gov.cn",
            MESSAGE_GATEWAY_URL="https://gateway.example.gov.cn/send",
            MESSAGE_GATEWAY_TOKEN="a-token-of-this-test",
        )
    )
    assert settings.mail is not None and settings.gateway is not None
    assert (settings.mail.host, settings.mail.port, settings.mail.encryption) == (
        "mail.example.gov.cn",
        587,
        "starttls",
    )
    assert (settings.mail.user, settings.mail.password) == ("quan", "p@ss")
    assert "p@ss" not in repr(settings) and "a-token-of-this-test" not in repr(settings)
    implicit = Config.from_env(production(SMTP_URL="smtps://mail.example.gov.cn?from=quan@example.gov.cn"))
    assert implicit.mail is not None and (implicit.mail.port, implicit.mail.encryption) == (465, "implicit")


def test_a_gateway_without_a_token_is_refused() -> None:
    with pytest.raises(ConfigError, match="MESSAGE_GATEWAY_TOKEN"):
        Config.from_env(production(MESSAGE_GATEWAY_URL="https://gateway.example.gov.cn/send"))
