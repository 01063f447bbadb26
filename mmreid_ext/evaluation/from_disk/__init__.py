"""Features larger than the memory: folders of parts, read where they are needed."""
