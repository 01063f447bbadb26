"""Picture files and boxes: found, checked, decoded, cut out; NumPy, OpenCV, Pillow only."""
