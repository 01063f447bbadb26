"""Take one picture, several, or folders of them, as an application has them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, TypeGuard

from mmreid_ext.errors import UserError, UserTypeError

from .arrays import is_one_picture
from .folder import list_images


def single_pictures(
    images: Any,
    owner: str,
    kinds: str = "a path, an array, a PIL image",
    is_one: Callable[[Any], bool] = is_one_picture,
) -> Iterator[Any]:
    """Yield single images, whatever they were given as; folders in order of their names.

    Args:
        images: One image, or an iterable of images.
        owner: Who was given them, for messages.
        kinds: What an image can be, for messages.
        is_one: Tells one image from several.

    Raises:
        UserError: If ``images`` holds none, or has no order.
    """
    if is_one(images):
        images = [images]
    elif (
        not isinstance(images, Iterable)
        or isinstance(images, (Mapping, Set))  # keys only, or no order
        or hasattr(images, "read")  # an open file: its lines
    ):
        raise UserTypeError(
            f"{owner}: images is of type {type(images).__name__}; give {kinds}, "
            "or a list or generator of them."
        )
    for image in images:
        if is_folder(image):
            found = list_images(Path(image))
            if not found:
                raise UserError(f"Folder {str(image)!r} has no image.")
            yield from found
        else:
            yield image


def is_folder(image: Any) -> TypeGuard[str | os.PathLike]:
    """Whether an image is the path of a folder of images."""
    return isinstance(image, (str, os.PathLike)) and os.path.isdir(image)
