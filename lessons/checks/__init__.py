"""What makes a lesson good to learn from, one concern a file; `lessons.lint` runs them all."""
