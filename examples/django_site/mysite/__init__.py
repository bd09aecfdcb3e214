"""A small Django project for `manage.py runserver` on tercel."""
