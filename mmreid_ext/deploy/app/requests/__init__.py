"""From the bytes of a request to a form, and from data to an answer."""
