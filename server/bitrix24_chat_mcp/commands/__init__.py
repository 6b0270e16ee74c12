"""What the command line does beside serving: check, login, logout, demo."""
