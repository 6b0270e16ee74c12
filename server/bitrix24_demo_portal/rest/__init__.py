"""Bitrix24's REST interface: authentication, the methods, and the JSON around their answers."""
