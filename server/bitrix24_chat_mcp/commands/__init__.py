"""The commands beside serving: check, login, logout, demo; and how all of them read settings and end."""
