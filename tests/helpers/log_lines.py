"""Lines of a training's log, as MMEngine writes them."""


def train_line(step: int, **values: float) -> dict[str, float]:
    """A line of a training by iterations; give ``epoch`` for one by epochs."""
    return {"lr": 0.1, "time": 9.0, **values, "iter": step, "step": step}
