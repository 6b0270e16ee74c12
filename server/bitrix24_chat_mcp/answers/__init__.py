"""What the model reads: records, their text, and how text of others is made safe and short; no I/O."""
