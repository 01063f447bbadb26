"""Keep a gallery on a Milvus server."""
