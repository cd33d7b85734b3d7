"""Writes what is generated from the code. Development time only: nothing that serves imports this."""
