"""What the command lines share. Importing it loads no torch: ``--help`` stays quick."""
