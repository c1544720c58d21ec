"""The tests' own judge of trees. It shares no code with the program."""
