"""Train MetaBIN: the loop, the update of the gates, and the batches of both."""
