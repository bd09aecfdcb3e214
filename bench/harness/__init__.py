"""The measuring harness of tercel. `bench/README.md` says what each number means."""
