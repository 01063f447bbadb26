"""Packaging of mmreid_ext: metadata, and the ``.mim`` folder in which OpenMIM looks for files."""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGE = "mmreid_ext"
FOR_MIM = ("configs", "tools", "model-index.yml")


def read_version() -> str:
    text = (ROOT / PACKAGE / "version.py").read_text(encoding="utf-8")
    return re.search(r'__version__ = "(.+)"', text).group(1)


def read_requirements(name: str) -> list[str]:
    """Return the lines of a requirements file, following ``-r``."""
    lines = []
    for line in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("-r "):
            lines += read_requirements(Path(line[3:].strip()).stem)
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def repository() -> str:
    """Return the address of the repository that this is published from, or an empty text.

    ``MMREID_REPOSITORY`` names it; in a workflow of GitHub its own variables do.
    """
    parts = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
    return os.environ.get("MMREID_REPOSITORY", "/".join(parts) if all(parts) else "").rstrip("/")


def read_me(address: str) -> str:
    """Return the README with links that work on the page of a package index.

    There, nothing lies beside it: links to files and pictures lead into the repository, as it was
    when this version was tagged. Without an address they stay as they are.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if not address:
        return text
    tag = f"v{read_version()}"
    beside = r"(?!https?:|mailto:|#)"
    text = re.sub(rf"(!\[[^\]]*\]\(){beside}", rf"\1{address}/raw/{tag}/", text)
    return re.sub(rf"(\]\(){beside}", rf"\1{address}/blob/{tag}/", text)


class BuildWithMim(build_py):
    """Adds ``mmreid_ext/.mim``: copies in a built package, links in an editable install."""

    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            self.fill(ROOT / PACKAGE / ".mim", self.link)
        else:
            folder = Path(self.build_lib) / PACKAGE / ".mim"
            self.fill(folder, self.copy)
            self.name_configs(folder / "configs")

    @staticmethod
    def fill(folder, place):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in FOR_MIM:
            place(ROOT / name, folder / name)

    @staticmethod
    def name_configs(folder):
        """Let mim, which looks for a file of exactly that name, find ``metabin_r50`` too.

        Our command lines take such a path for that of the ``.py`` file beside it.
        """
        for config in folder.glob("*.py"):
            config.with_suffix("").write_text(f"See {config.name}.\n")

    @staticmethod
    def copy(source, target):
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.pth")
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copyfile(source, target)

    @classmethod
    def link(cls, source, target):
        try:
            target.symlink_to(os.path.relpath(source, target.parent))
        except OSError:  # Windows without the right to make links
            cls.copy(source, target)


setup(
    name=PACKAGE,
    version=read_version(),
    description="Person re-identification and metric learning for MMPretrain and MMEngine: "
    "MetaBIN, domain generalisation, camera-aware evaluation, re-ranking",
    long_description=read_me(repository()),
    long_description_content_type="text/markdown",
    author="The mmreid_ext authors",
    url=repository() or None,
    license="Apache-2.0",
    keywords="person re-identification, metric learning, domain generalisation, MetaBIN, OpenMMLab",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    # One top-level package, named like the distribution: OpenMIM finds nothing otherwise.
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={
        PACKAGE: ["py.typed", "**/*.json", "**/*.html", "**/*.css", "**/*.js", "**/*.svg"],
    },
    python_requires=">=3.10",
    # No mm* package here: upstream and OneDL have different names for the same modules.
    install_requires=read_requirements("runtime"),
    extras_require={
        "mim": read_requirements("mim"),
        "mminstall": read_requirements("mim"),  # the name under which OneDL's mim looks for it
        "dev": read_requirements("dev"),
        "faiss": ["faiss-cpu>=1.10"],
        "deploy": read_requirements("deploy"),
        "gallery": read_requirements("gallery"),
        "milvus": read_requirements("milvus"),
        "serve": read_requirements("serve"),
        "cluster": read_requirements("cluster"),
        "tensorboard": ["tensorboard"],
        "mlflow": ["mlflow"],
        "wandb": ["wandb"],
        "own-images": read_requirements("own-images"),
        "parquet": ["pyarrow"],
    },
    cmdclass={"build_py": BuildWithMim},
    zip_safe=False,
)
