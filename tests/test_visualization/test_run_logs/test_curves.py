"""The picture shows the values, bands for seeds, and says what is what."""

import pytest
from helpers.log_lines import train_line as train

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.run_logs import plot_runs
from mmreid_ext.visualization.run_logs.curves import summary
from mmreid_ext.visualization.run_logs.seeds import read_group


def test_one_panel_per_word_and_a_band_for_seeds(seeds, tmp_path):
    groups = [read_group(seeds), read_group(seeds / "seed_2")]
    figure = plot_runs(groups, ["loss", "mAP"], tmp_path / "curves.svg", title="Two")
    assert (tmp_path / "curves.svg").stat().st_size > 1000
    loss, mean_ap = figure.axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[3, 1.5], [6, 3]]
    assert len(loss.collections) == 1, "a band for the seeds only"
    assert [t.get_text() for t in loss.get_legend().get_texts()] == ["setting (3 seeds)", "seed_2"]
    assert loss.lines[0].get_color() != loss.lines[1].get_color()
    assert (loss.get_ylabel(), mean_ap.get_ylabel()) == ("", "%")
    assert (loss.get_xlabel(), mean_ap.lines[0].get_ydata().tolist()) == ("iteration", [53])


def test_several_values_in_one_panel_have_names(seeds):
    one = plot_runs([read_group(seeds / "seed_0")], ["*mAP"]).axes[0]
    assert [t.get_text() for t in one.get_legend().get_texts()] == ["a/mAP", "a/rerank/mAP"]
    two = plot_runs([read_group(seeds / f"seed_{n}") for n in (0, 1)], ["*mAP"]).axes[0]
    assert [t.get_text() for t in two.get_legend().get_texts()][1] == "seed_0, a/rerank/mAP"
    styles = {(line.get_color(), line.get_linestyle()) for line in two.lines}
    assert len(styles) == 4


def test_an_odd_number_of_panels_leaves_one_empty(seeds):
    figure = plot_runs([read_group(seeds)], ["loss", "lr", "mAP"])
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    assert figure.axes[1].get_title(loc="left") == "learning rate"


def test_epochs_and_iterations_share_no_axis(seeds, write_log):
    lines = [train(10 * epoch, loss=1, epoch=epoch) for epoch in (1, 2)]
    by_epoch = read_group(write_log("epochs", "T", lines))
    with pytest.raises(UserError, match="epochs counts epochs and setting counts iterations"):
        plot_runs([read_group(seeds), by_epoch])


def test_the_summary_counts_values(seeds):
    assert summary([read_group(seeds)])["loss"] == "6 values, from 1 to 0.5"
