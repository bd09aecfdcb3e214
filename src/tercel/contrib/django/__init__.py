"""`manage.py runserver` served by tercel: `"tercel.contrib.django"` first in INSTALLED_APPS.

docs/guide/django.md tells how to use it. Nothing else of tercel imports this, or Django.
"""

try:
    import django  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "django":
        raise
    raise ModuleNotFoundError(
        "tercel.contrib.django needs Django, which is not installed: pip install django.",
        name="django",
    ) from None
