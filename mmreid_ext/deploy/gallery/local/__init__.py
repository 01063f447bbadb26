"""One file as a gallery: SQLite keeps the pictures, FAISS in memory finds them."""
