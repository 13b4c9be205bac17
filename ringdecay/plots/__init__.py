"""stub until merge."""
