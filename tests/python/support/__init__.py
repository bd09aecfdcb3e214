"""What the tests stand on: a server process, a raw HTTP/1.1 client, facts about a process."""
