"""The API of the tutorial, from page 4 on: docs/tutorial/."""
