"""Say whether two images show one person: thresholds, and answers at them."""
