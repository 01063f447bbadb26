"""Check the settings of a run before data are read and processes are started."""
