"""Worker processes: a supervisor forks them, replaces them, and never drops a request over it."""
