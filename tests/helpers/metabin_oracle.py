"""MetaBIN once more, slowly: every formula written out, nothing shared with the package.

A ResNet-18 of two stages as a function of its state dictionary, losses as loops over anchors, and
the algorithm step by step. :class:`Rules` has one field for each thing that is easily done wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

STAGES = dict(
    base=("ce", "triplet"),
    meta_train=("ce", "shuffle", "triplet", "scatter"),
    meta_test=("ce", "triplet"),
)


@dataclass
class Rules:
    clamp_gradient: str = "straight_through"  # or "strict"
    inner_step: bool = True
    outer_from: str = "original"  # or "inner"
    bias_lr_mult: float = 2.0
    momentum: float = 0.9
    first_index: int = 1  # of the cyclic ratio
    smoothing: str = "others"  # or "all"
    meta_moves_statistics: bool = False
    meta_moves_weights: bool = False
    base_moves_gates: bool = False
    gate_decay: float = 0.0
    stages: dict = field(default_factory=lambda: dict(STAGES))


def distances(feats: Tensor, i: int) -> Tensor:
    return (feats - feats[i]).square().sum(1).clamp(min=1e-12).sqrt()


def triplet(feats: Tensor, pids: list[int]) -> Tensor:
    terms = []
    for i, pid in enumerate(pids):
        d = distances(feats, i)
        farthest = max(d[j] for j, other in enumerate(pids) if other == pid)
        nearest = min(d[j] for j, other in enumerate(pids) if other != pid)
        terms.append(torch.relu(farthest - nearest + 0.3))
    return torch.stack(terms).mean()


def shuffle(feats: Tensor, pids: list[int], domains: list[int]) -> Tensor:
    terms = []
    everyone = range(len(pids))
    for i in everyone:
        d = distances(feats, i)
        farthest = max(d[j] for j in everyone if j == i or domains[j] != domains[i])
        nearest = min(d[j] for j in everyone if domains[j] == domains[i] and pids[j] != pids[i])
        terms.append(torch.log(1 + torch.exp(farthest - nearest)))
    return torch.stack(terms).mean()


def scatter(feats: Tensor, domains: list[int]) -> Tensor:
    terms = []
    for domain in sorted(set(domains)):
        unit = [f / f.norm() for f, d in zip(feats, domains, strict=True) if d == domain]
        centre = sum(unit) / len(unit)
        terms.append(sum(centre @ f / (centre.norm() * f.norm()) for f in unit) / len(unit))
    return torch.stack(terms).mean()


def cross_entropy(logits: Tensor, pids: list[int], smoothing: str) -> Tensor:
    classes = logits.shape[1]
    terms = []
    for row, pid in zip(logits, pids, strict=True):
        target = torch.full_like(row, 0.1 / (classes if smoothing == "all" else classes - 1))
        target[pid] = 0.9 + (0.1 / classes if smoothing == "all" else 0.0)
        terms.append(-(target * (row - row.logsumexp(0))).sum())
    return torch.stack(terms).mean()


class Oracle:
    """State of the algorithm; :meth:`step` is one iteration."""

    def __init__(self, state: dict[str, Tensor], rules: Rules) -> None:
        self.rules = rules
        state = {name: value.detach().clone() for name, value in state.items()}
        buffers = ("running_mean", "running_var", "num_batches_tracked")
        self.buffers = {n: v for n, v in state.items() if n.endswith(buffers)}
        self.gates = {n: v.requires_grad_() for n, v in state.items() if n.endswith(".gate")}
        self.weights = {n: state[n] for n in state if n not in self.buffers | self.gates}
        trained = {n: w.requires_grad_() for n, w in self.weights.items() if n != "head.neck.bias"}
        biases = [w for n, w in trained.items() if "bias" in n]
        others = [w for n, w in trained.items() if "bias" not in n]
        self.optimizer = torch.optim.SGD(
            [dict(params=others), dict(params=biases)],
            lr=0.0,
            momentum=rules.momentum,
            weight_decay=5e-4,
        )

    def state(self) -> dict[str, Tensor]:
        everything = self.weights | self.gates | self.buffers
        return {name: value.detach().clone() for name, value in everything.items()}

    def norm(
        self, x: Tensor, name: str, gates: dict[str, Tensor], moves_statistics: bool
    ) -> Tensor:
        w = {n: self.weights.get(f"{name}.{n}") for n in ("weight", "bias", "in_weight", "in_bias")}
        running = [None, None]
        if moves_statistics:
            running = [self.buffers[f"{name}.running_mean"], self.buffers[f"{name}.running_var"]]
            self.buffers[f"{name}.num_batches_tracked"] += 1
        batch = F.batch_norm(x, *running, w["weight"], w["bias"], True, 0.1, 1e-5)
        if f"{name}.gate" not in gates:
            return batch
        instance = F.instance_norm(x, weight=w["in_weight"], bias=w["in_bias"], eps=1e-5)
        rho = gates[f"{name}.gate"][None, :, None, None]
        return rho * batch + (1 - rho) * instance

    def forward(self, x: Tensor, gates: dict[str, Tensor], moves: bool) -> tuple[Tensor, Tensor]:
        w = self.weights
        x = F.conv2d(x, w["backbone.conv1.weight"], stride=2, padding=3)
        x = F.relu(self.norm(x, "backbone.bn1", gates, moves))
        x = F.max_pool2d(x, 3, 2, 1)
        for stage, block in ((1, 0), (1, 1), (2, 0), (2, 1)):
            name = f"backbone.layer{stage}.{block}"
            stride = 2 if (stage, block) == (2, 0) else 1
            y = F.conv2d(x, w[f"{name}.conv1.weight"], stride=stride, padding=1)
            y = F.relu(self.norm(y, f"{name}.bn1", gates, moves))
            y = F.conv2d(y, w[f"{name}.conv2.weight"], padding=1)
            y = self.norm(y, f"{name}.bn2", gates, moves)
            if f"{name}.downsample.0.weight" in w:
                x = F.conv2d(x, w[f"{name}.downsample.0.weight"], stride=stride)
                x = self.norm(x, f"{name}.downsample.1", gates, moves)
            x = F.relu(y + x)
        feats = x.mean((2, 3))
        embeddings = self.norm(feats, "head.neck", gates, moves)
        return feats, embeddings @ w["head.classifier.weight"].t()

    def losses(self, batch, rows, gates, names, moves) -> dict[str, Tensor]:
        pids = [int(batch["data_samples"][i].gt_label) for i in rows]
        domains = [int(batch["data_samples"][i].domain) for i in rows]
        feats, logits = self.forward(batch["inputs"][rows], gates, moves)
        compute = dict(
            ce=lambda: cross_entropy(logits, pids, self.rules.smoothing),
            triplet=lambda: triplet(feats, pids),
            shuffle=lambda: shuffle(feats, pids, domains),
            scatter=lambda: scatter(feats, domains),
        )
        return {f"loss_{name}": compute[name]() for name in names}

    def step(self, base, meta, train_domains, main_lr, gate_lr, iteration, ratio):
        rules, log = self.rules, {}
        for group, factor in zip(
            self.optimizer.param_groups, (1.0, rules.bias_lr_mult), strict=True
        ):
            group["lr"] = main_lr * factor
        everyone = list(range(len(base["inputs"])))
        terms = self.losses(base, everyone, self.gates, rules.stages["base"], True)
        log |= terms
        self.optimizer.zero_grad()
        stray = torch.autograd.grad(
            sum(terms.values()), list(self.gates.values()), retain_graph=True
        )
        sum(terms.values()).backward(inputs=self.trained())
        self.optimizer.step()
        if rules.base_moves_gates:
            self.move_gates(self.gates, stray, gate_lr)

        inside = [int(s.domain) in train_domains for s in meta["data_samples"]]
        train_rows = [i for i, chosen in enumerate(inside) if chosen]
        test_rows = [i for i, chosen in enumerate(inside) if not chosen]
        moves = rules.meta_moves_statistics
        terms = self.losses(meta, train_rows, self.gates, rules.stages["meta_train"], moves)
        log |= {f"meta_train/{name}": value for name, value in terms.items()}
        inner = torch.autograd.grad(
            sum(terms.values()), list(self.gates.values()), retain_graph=True
        )
        if rules.meta_moves_weights:
            self.optimizer.zero_grad()
            sum(terms.values()).backward(inputs=self.trained())
            self.optimizer.step()
        alpha = gate_lr * ratio(iteration + rules.first_index) if rules.inner_step else 0.0
        raw = {n: r - alpha * g for (n, r), g in zip(self.gates.items(), inner, strict=True)}
        stepped = {n: r.detach().clamp(0, 1).requires_grad_() for n, r in raw.items()}
        terms = self.losses(meta, test_rows, stepped, rules.stages["meta_test"], moves)
        log |= {f"meta_test/{name}": value for name, value in terms.items()}
        outer = torch.autograd.grad(sum(terms.values()), list(stepped.values()))
        if rules.clamp_gradient == "strict":
            open_interval = [(r > 0) & (r < 1) for r in raw.values()]
            outer = [torch.where(o, g, 0.0) for o, g in zip(open_interval, outer, strict=True)]
        self.move_gates(self.gates if rules.outer_from == "original" else stepped, outer, gate_lr)
        return {name: value.item() for name, value in log.items()}

    def trained(self) -> list[Tensor]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def move_gates(self, start: dict[str, Tensor], grads, gate_lr: float) -> None:
        decay = self.rules.gate_decay
        with torch.no_grad():
            new = [
                r - gate_lr * (g + decay * r) for r, g in zip(start.values(), grads, strict=True)
            ]
        self.gates = {
            n: value.clamp(0, 1).requires_grad_() for n, value in zip(self.gates, new, strict=True)
        }
