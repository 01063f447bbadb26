"""Small drawn pictures in folders, and a model without weights that embeds them."""

import cv2
import numpy as np
from helpers.exported_model import info

SIZE = 8


class FakeModel:
    """Embeds a picture by a random projection of its shrunk pixels; counts what it embeds."""

    def __init__(self, size=SIZE):
        self.info = info(size=size)
        self.embedded = 0
        self.projection = np.random.default_rng(0).standard_normal((48, size)).astype(np.float32)

    def prepare(self, image):
        return cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA).reshape(-1) - np.float32(127)

    def embed(self, prepared):
        self.embedded += len(prepared)
        found = np.stack(prepared) @ self.projection
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def picture(seed, noise=0):
    """Draw a picture of 40 x 20 pixels; another ``noise`` is another picture of the same person."""
    person = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.float32)
    image = cv2.resize(person, (20, 40), interpolation=cv2.INTER_LINEAR)
    image += 8 * np.random.default_rng([seed, noise]).standard_normal(image.shape)
    return image.clip(0, 255).astype(np.uint8)


def write_picture(path, seed, noise=0):
    """Write a picture as the ending of its name says; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done, content = cv2.imencode(path.suffix, picture(seed, noise))
    assert done
    path.write_bytes(content.tobytes())
    return path


def write_people(folder, people=("lea", "tom", "eva"), count=3):
    """Write ``folder/PERSON/NUMBER.png`` for each person; return the folder."""
    for seed, person in enumerate(people):
        for number in range(count):
            write_picture(folder / person / f"{number}.png", seed, number)
    return folder
