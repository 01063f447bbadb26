"""Check what a reader has read: files, identities, images in two places."""
