"""Test a trained model on every test set of its configuration.

python tools/test.py CONFIG CHECKPOINT                  # re-ranked rows too, where they are cheap
python tools/test.py CONFIG CHECKPOINT --rerank k1=30 lambda=0.2 --out results.json
tools/dist_test.sh CONFIG CHECKPOINT 4
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from mmreid_ext.cli.config import add_launch_arguments, load_config
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.evaluation_options import (
    add_distance_argument,
    add_expansion_argument,
    add_open_set_argument,
    add_out_argument,
    add_protocol_argument,
    add_rerank_arguments,
    chosen_protocols,
    given_options,
)
from mmreid_ext.cli.explain import explained
from mmreid_ext.cli.screen.early import add_screen_arguments, brief_warnings
from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import steps_of
from mmreid_ext.output_files import require_writable

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config
    from mmengine.runner import Runner

    from mmreid_ext.evaluation.reid_metric import ReIDMetric


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="configuration file")
    parser.add_argument("checkpoint", help="checkpoint file")
    add_rerank_arguments(parser)
    add_expansion_argument(parser)
    add_open_set_argument(parser)
    add_distance_argument(parser, "the configuration's")
    add_protocol_argument(parser, "the configuration's, else the data set's")
    parser.add_argument(
        "--flip", action="store_true", help="add the embedding of the mirrored image"
    )
    add_out_argument(parser, "all metrics and the AP of every query")
    parser.add_argument(
        "--save-features", metavar="NPZ", help="write the embeddings, for tools/evaluate.py"
    )
    parser.add_argument(
        "--no-thresholds",
        action="store_true",
        help="don't write similarities at false positive rates into the checkpoint",
    )
    add_screen_arguments(parser)
    add_launch_arguments(parser)
    return parser.parse_args()


def apply_arguments(cfg: Config, args: argparse.Namespace) -> None:
    """Lay what the command line says about evaluation over the configuration."""
    given = given_options(args)
    if args.protocol:
        given["protocols"] = metric_protocols(args.protocol)
    if args.save_features:
        given["save_features"] = args.save_features
    several = isinstance(cfg.test_evaluator, (list, tuple))
    evaluators = cfg.test_evaluator if several else [cfg.test_evaluator]
    ours = [evaluator for evaluator in evaluators if is_ours(evaluator["type"])]
    if len(ours) == 1:
        # The default is written out, so that the configuration kept with the results shows it.
        ours[0].setdefault("rerank", "auto")
        ours[0].update(given)
    elif given or args.out:
        raise UserError(
            f"{', '.join(given) or '--out'}: for one ReIDMetric, but `test_evaluator` of the "
            f"configuration has {len(ours)} of them."
        )
    cfg.load_from, cfg.resume = None, False
    if args.flip:
        cfg.model.flip_test = True


def metric_protocols(options: list[str]) -> object:
    """Read ``--protocol`` as a configuration can hold it: one for all, or a dict by test set."""
    protocols = chosen_protocols(options)
    if None not in protocols:
        return protocols
    if len(protocols) == 1:
        return protocols[None]
    raise UserError(
        f"--protocol {' '.join(options)}: give one protocol for all test sets, or name the set of "
        "each."
    )


def is_ours(kind: str | type) -> bool:
    """Whether the type of an evaluator, a name or a class, is our metric or derived from it."""
    from mmreid_ext.evaluation.reid_metric import ReIDMetric
    from mmreid_ext.registry import METRICS

    found = METRICS.get(kind) if isinstance(kind, str) else kind
    return isinstance(found, type) and issubclass(found, ReIDMetric)


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    require_writable(args.save_features, "--save-features")
    with brief_warnings(args):
        cfg = load_config(args)

    from mmreid_ext.checkpoint.usage import check_usage
    from mmreid_ext.checkpoint.weights import load_weights
    from mmreid_ext.cli.launch import prepare
    from mmreid_ext.cli.nodes.losing import watched
    from mmreid_ext.cli.screen.screen import Screen
    from mmreid_ext.distributed import is_main
    from mmreid_ext.engine.kept_thresholds import keep_thresholds
    from mmreid_ext.engine.settings.evaluation_check import check_test_sets
    from mmreid_ext.evaluation.reid_metric import ReIDMetric

    with Screen(args) as screen, watched(), explained(cfg):
        apply_arguments(cfg, args)
        prepare(cfg, args.local_rank)
        runner = screen.build_runner(cfg)
        check_test_sets(runner.test_loop)
        load_weights(runner.model, args.checkpoint)
        check_usage(runner.model, cfg, args.checkpoint)
        metrics = runner.test_loop.evaluator.metrics
        metric = next((metric for metric in metrics if isinstance(metric, ReIDMetric)), None)
        if args.save_features and metric is not None and is_main():
            source = source_of(args.checkpoint)
            metric.feature_notes = {key: json.dumps(value) for key, value in source.items()}
        runner.test()
        keeps = metric is not None and is_main() and not args.no_thresholds
        if keeps and keep_thresholds(args.checkpoint, metric, runner.model):
            screen.say(f"thresholds kept with {args.checkpoint}")
    if args.out and metric is not None and is_main():
        source = source_of(args.checkpoint)
        settings = settings_used(cfg, args, runner, metric, source["training"]["seed"])
        write_document(args.out, metric, settings, source)


def source_of(checkpoint: str) -> dict[str, dict]:
    """Describe the checkpoint and its training."""
    from mmreid_ext.checkpoint.safe_load import read_meta
    from mmreid_ext.evaluation.results.report import describe_checkpoint
    from mmreid_ext.evaluation.results.training_record import training_record

    training = training_record(read_meta(checkpoint))
    return dict(checkpoint=describe_checkpoint(checkpoint), training=training)


def settings_used(
    cfg: Config,
    args: argparse.Namespace,
    runner: Runner,
    metric: ReIDMetric,
    training_seed: int | None,
) -> dict:
    """Collect the settings that decided the results, as they were in effect."""
    model = getattr(runner.model, "module", runner.model)
    return dict(
        config=args.config,
        cfg_options=args.cfg_options or {},
        seed=training_seed,
        test_seed=cfg.get("randomness", {}).get("seed"),
        flip=bool(getattr(model, "flip_test", False)),
        distance=metric.distance,
        rerank=metric.rerank,
        query_expansion=metric.query_expansion,
        open_set=metric.open_set,
        max_rank=metric.max_rank,
        amp=bool(runner.test_loop.fp16),
        device=str(next(model.parameters()).device.type),
        ranks=runner.world_size,
        batch_size=runner.test_loop.dataloader.batch_size,
        pipeline=steps_of(cfg.test_dataloader.dataset).in_order or None,
        data_preprocessor=cfg.model.get("data_preprocessor", cfg.get("data_preprocessor")),
    )


def write_document(out: str, metric: ReIDMetric, settings: dict, source: dict[str, dict]) -> None:
    from mmreid_ext.evaluation.pid_names import pid_names_by_set
    from mmreid_ext.evaluation.results.report import results_document
    from mmreid_ext.evaluation.results.results_file import write_results

    document = results_document(
        metric.last_results,
        settings,
        **source,
        embeddings=metric.last_embeddings,
        pid_names=pid_names_by_set(metric.dataset_meta),
    )
    print(f"Written: {write_results(out, document)}")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
