"""All that knows Bitrix24: its dialect, its answers, its errors, its manners."""
