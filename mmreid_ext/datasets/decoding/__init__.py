"""Turn bytes into the picture of one person: formats that OpenCV lacks, boxes in frames."""
