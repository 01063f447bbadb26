"""Train a model.

python tools/train.py configs/metabin_r18_synthetic.py
python tools/train.py CONFIG --iters 100         # a short trial; --epochs where epochs count
python tools/train.py CONFIG --resume            # continue the run in its work folder
python tools/train.py CONFIG --time-limit 3h50m  # end in time, with a checkpoint and exit code 75
tools/dist_train.sh configs/metabin_r50.py 4     # four ranks; on gloo where there is no GPU
"""

import argparse

from mmreid_ext.cli.config import add_launch_arguments, load_config
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.explain import explained
from mmreid_ext.cli.screen.early import add_screen_arguments, brief_warnings, speaks
from mmreid_ext.cli.speed_options import add_speed_arguments, apply_speed_arguments
from mmreid_ext.cli.training.init_weights import add_init_weights_argument, apply_init_weights
from mmreid_ext.cli.training.restarted import resume_after_restart
from mmreid_ext.cli.training.run_folder import check_run_folder
from mmreid_ext.cli.training.run_length import add_length_arguments, apply_length_arguments
from mmreid_ext.cli.training.stopping import add_stop_arguments, listening
from mmreid_ext.cli.training.trackers import add_tracker_arguments, apply_tracker_arguments


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="configuration file")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="continue exactly where a checkpoint was written; "
        "without a file, the work folder's last one",
    )
    parser.add_argument(
        "--amp", action="store_true", help="mixed precision (bfloat16 where possible)"
    )
    parser.add_argument(
        "--amp-dtype",
        choices=["auto", "float16", "bfloat16"],
        help="precision of --amp (default: the configuration's, else what suits the device)",
    )
    parser.add_argument("--no-validate", action="store_true", help="no evaluation during training")
    add_init_weights_argument(parser)
    add_length_arguments(parser)
    add_stop_arguments(parser)
    add_speed_arguments(parser)
    add_tracker_arguments(parser)
    add_screen_arguments(parser)
    add_launch_arguments(parser)
    args = parser.parse_args()
    if args.amp_dtype is not None and not args.amp:
        parser.error("--amp-dtype is the precision of --amp: give both")
    return args


def run(args: argparse.Namespace) -> None:
    with listening(args) as args.stop_request:
        train(args)


def train(args: argparse.Namespace) -> None:
    with brief_warnings(args):
        cfg = load_config(args)
        apply_tracker_arguments(cfg, args)
    restarted = resume_after_restart(args, cfg.work_dir)
    if restarted and speaks(args):
        print(restarted, flush=True)
    if args.resume is not None:
        cfg.resume = True
        cfg.begun_from = cfg.get("load_from")  # the record of the training keeps it
        cfg.load_from = None if args.resume == "auto" else args.resume
    if not restarted:
        check_run_folder(cfg)
    change = apply_length_arguments(cfg, args)
    if change and speaks(args):
        print(change)

    from mmreid_ext.checkpoint.starting import provide_weights  # heavy; --help stays quick
    from mmreid_ext.cli.launch import prepare
    from mmreid_ext.cli.nodes.losing import watched
    from mmreid_ext.cli.precision import use_amp
    from mmreid_ext.cli.screen.screen import Screen
    from mmreid_ext.distributed import barrier

    if args.amp:
        use_amp(cfg, args.amp_dtype)
    apply_speed_arguments(cfg, args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    apply_init_weights(cfg, args)
    with Screen(args) as screen, watched(), explained(cfg):
        prepare(cfg, args.local_rank)
        provide_weights(cfg)
        barrier()  # a machine may have downloaded them for minutes
        screen.train(cfg)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
