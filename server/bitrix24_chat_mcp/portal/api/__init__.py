"""The dialect of Bitrix24's REST API, without I/O."""
