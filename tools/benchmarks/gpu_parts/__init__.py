"""Parts of gpu_suite.py, one file each, and what runs them."""
