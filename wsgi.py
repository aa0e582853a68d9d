"""For any WSGI server: `gunicorn wsgi:app`."""

from app import create_app, logs
from app.metrics import directory, sharing
from app.settings import Settings

settings = Settings.from_env()
logs.configure(settings)
directory.share(settings.instance_dir)
sharing.join()
app = create_app(settings)
