"""A disk that is full after a number of checkpoints, with every file system and without rights."""

from mmreid_ext.checkpoint.saving import full_disk, stream


class SmallDisk:
    """Lets the files of a folder grow to a size in bytes together.

    Attributes:
        refused: How often a write found no room.
        most: The most checkpoints that lay there at once, the one under way included.
    """

    def __init__(self, folder, monkeypatch, seen=True):
        self.folder, self.size, self.refused, self.most = folder, 2**60, 0, 0
        disk = self

        class File(stream.PatientFile):
            def write(self, data):
                disk.most = max(disk.most, len(disk.checkpoints()))
                self.file = Limited(self.file, disk)
                written = super().write(data)
                self.file = self.file.file
                return written

        monkeypatch.setattr(stream, "PatientFile", File)
        if seen:
            monkeypatch.setattr(full_disk.shutil, "disk_usage", self.usage)

    def checkpoints(self):
        return [path for path in self.folder.glob("*") if ".pth" in path.name]

    def used(self):
        return sum(path.stat().st_size for path in self.checkpoints())

    def usage(self, _):
        free = max(self.size - self.used(), 0) + full_disk._RESERVE
        return type("Usage", (), dict(free=free))


class Limited:
    def __init__(self, file, disk):
        self.file, self.disk = file, disk

    def write(self, data):
        self.file.flush()
        if self.disk.used() + memoryview(data).nbytes > self.disk.size:
            self.disk.refused += 1
            raise OSError(28, "No space left on device")
        return self.file.write(data)
