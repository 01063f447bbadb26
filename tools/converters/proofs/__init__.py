"""Networks of other programs, beside which converted ones are run."""
