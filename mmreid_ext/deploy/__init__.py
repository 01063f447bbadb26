"""Use exported models: embed, keep a gallery, serve; loads neither PyTorch nor mm*."""
