"""E-mail by SMTP. A server cannot be asked whether it took a message, so nothing uncertain is sent again."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Literal

from voucher.dispatch.parcel import TIMEOUT_SECONDS, Parcel, Undelivered

Encryption = Literal["starttls", "implicit", "none"]
_PASSING = range(400, 500)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server. `sender` is the address in From; the message id is made of its domain and the parcel's ref."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    encryption: Encryption = "starttls"

    @property
    def repeatable(self) -> bool:
        return False

    def send(self, parcel: Parcel) -> None:
        """Send one mail to one address. Raises Undelivered; a connection lost after the text left is final."""
        try:
            server = self._opened()
        except smtplib.SMTPResponseException as failure:
            raise Undelivered(
                f"smtp_{failure.smtp_code}", final=failure.smtp_code not in _PASSING
            ) from failure
        except (OSError, smtplib.SMTPException) as failure:
            raise Undelivered("smtp_unreachable", final=False) from failure
        try:
            server.send_message(self._message(parcel))
        except smtplib.SMTPRecipientsRefused as failure:
            code = next(iter(failure.recipients.values()))[0]
            raise Undelivered(f"smtp_{code}", final=code not in _PASSING) from failure
        except smtplib.SMTPResponseException as failure:
            raise Undelivered(
                f"smtp_{failure.smtp_code}", final=failure.smtp_code not in _PASSING
            ) from failure
        except (OSError, smtplib.SMTPException) as failure:
            raise Undelivered("smtp_uncertain", final=True) from failure
        finally:
            server.close()

    def _opened(self) -> smtplib.SMTP:
        if self.encryption == "implicit":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.encryption == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, parcel: Parcel) -> EmailMessage:
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        message = EmailMessage()
        message["Subject"] = parcel.title
        message["From"] = Address("创新券台账", addr_spec=self.sender)
        message["To"] = parcel.address
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = f"<{parcel.ref}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{parcel.text}\n\n请登录创新券台账办理。本邮件由系统发出，请勿回复。\n")
        return message
