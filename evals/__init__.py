"""Tasks on the demo portal by which an assistant that uses this server is judged: `make evals`."""
