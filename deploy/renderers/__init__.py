"""Plan → files. A renderer returns artifacts and touches no disk; only `deploy.artifact` writes."""
