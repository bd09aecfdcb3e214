"""The command `runserver`."""
