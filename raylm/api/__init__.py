"""What a person can do, in one place: the command line, the panels and Python scripts all call it."""
