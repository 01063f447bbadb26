# Makes this folder the package "tests" for the ranks of helpers/distributed.py, which import test
# files by name: model_index, which MMPretrain requires, installs a package "tests" of its own.
