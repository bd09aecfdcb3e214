"""Settings for development. Source: docs/guide/django.md."""

DEBUG = True
SECRET_KEY = "for development only"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
USE_TZ = True

# [apps]
INSTALLED_APPS = [
    # Before every other application with a command `runserver`: the first one's is taken.
    "tercel.contrib.django",
    "django.contrib.staticfiles",
    "mysite",
]
# [/apps]

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "mysite.urls"
STATIC_URL = "static/"

# [interface]
WSGI_APPLICATION = "mysite.wsgi.application"
ASGI_APPLICATION = "mysite.asgi.application"
# [/interface]
