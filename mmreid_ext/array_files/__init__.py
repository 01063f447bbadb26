"""Read files of arrays, whoever made them; NumPy only."""
