"""Refuse checkpoint files that declare more than they hold, before anything is allocated."""
