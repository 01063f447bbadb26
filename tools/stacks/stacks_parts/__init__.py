"""Parts of tools/test_stacks.sh: what is installed, with what, what is tested, and the table."""
