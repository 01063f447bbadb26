"""Serve a model and a gallery: a page to search in, and the same for programs.

python tools/serve.py --model model.onnx --gallery people.db
python tools/serve.py --model model.onnx --gallery people.db --host 0.0.0.0 --api-key-file key.txt

The service listens on this machine only, unless --host says otherwise; it then needs an API key, of
--api-key-file or of the environment variable MMREID_API_KEY. docs/deploy/service.md describes it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.shorten import several


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="an exported model, .onnx or .xml")
    parser.add_argument(
        "--gallery", help="file (made if it isn't there) or address of a gallery; default: none"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: a free one")
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="holds the API key")
    parser.add_argument("--threads", type=int, help="threads of the model (default: all cores)")
    parser.add_argument(
        "--provider",
        metavar="NAME",
        help="execution provider of ONNX Runtime, as CUDAExecutionProvider (default: the CPU)",
    )
    parser.add_argument("--read-only", action="store_true", help="nobody may change the gallery")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a limit, as max_pixels=50000000; may be there several times",
    )
    args = parser.parse_args()
    if not 0 <= args.port <= 65535:
        parser.error(f"--port {args.port}: 0 to 65535")
    if args.threads is not None and args.threads < 1:
        parser.error(f"--threads {args.threads}: at least 1")
    return args


def run(args: argparse.Namespace) -> None:
    from mmreid_ext.deploy.app.auth import read_key
    from mmreid_ext.deploy.app.serving import (
        ON_A_GPU,
        address_of,
        open_socket,
        read_settings,
        require_key,
        serve,
    )

    settings = read_settings(args.limit, ON_A_GPU if args.provider else None)
    key = read_key(args.api_key_file)
    require_key(args.host, key)
    opened = open_socket(args.host, args.port)

    from mmreid_ext.deploy import Embedder
    from mmreid_ext.deploy.app import create_app

    providers = [args.provider] if args.provider else None
    embedder = Embedder(args.model, args.threads, settings.batch, providers=providers)
    gallery = None
    if args.gallery is not None:
        from mmreid_ext.deploy import Gallery

        gallery = Gallery(args.gallery, model=embedder.info, read_only=args.read_only)
    app = create_app(embedder, gallery, api_key=key, settings=settings)

    def ready() -> None:
        rows = "none" if gallery is None else several(gallery.info().rows, "picture")
        print(f"Model: {embedder.info.name}\nGallery: {rows}")
        print(
            f"Open {address_of(opened)} (what programs can ask: /docs). Ctrl-C stops.", flush=True
        )

    try:
        serve(app, opened, ready)
    finally:
        if gallery is not None:
            gallery.close()
    print("Stopped.")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
