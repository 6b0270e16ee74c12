"""The use cases: which chats, in which order, on which page; and pinning one."""
