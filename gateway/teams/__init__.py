"""Seats and vacancies of organizations."""
