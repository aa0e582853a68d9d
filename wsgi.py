"""For any WSGI server: `gunicorn wsgi:app`."""

from app import create_app, logs
from app.settings import Settings

settings = Settings.from_env()
logs.configure(settings)
app = create_app(settings)
