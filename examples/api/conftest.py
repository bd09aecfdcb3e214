"""What the fixtures of tercel make a client and a server of."""

# [app]
import pytest
import things


@pytest.fixture
def app():
    things.things.clear()
    return things.app


# [/app]
