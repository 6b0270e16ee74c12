"""Bitrix24's REST interface: who may call, what a method answers, and the JSON around it."""
