"""Look at every picture and every row of a data set, and list all that is wrong with it."""
