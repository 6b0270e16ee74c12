"""The figures that the README quotes, and how they were measured: `make bench`."""
