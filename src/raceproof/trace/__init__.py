"""What a run is, as plain values, and commands in the words of the field."""
