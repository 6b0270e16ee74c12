"""The portal as an ASGI application: requests in, responses out, and a server on the loopback interface."""
