"""What a WSGI server loads."""

from config import Config
from voucher.app import create_app

app = create_app(Config.from_env())
