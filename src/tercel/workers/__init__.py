"""Worker processes: a supervisor forks them, replaces them, and never drops a request over it."""

# What a supervisor tells the program that takes over from it: tercel.workers.upgrade.
UPGRADE_VARIABLE = "TERCEL_UPGRADE"
