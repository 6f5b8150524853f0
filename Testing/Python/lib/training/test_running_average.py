"""A running average on weights whose averages are known."""

import torch
from SkullGANLib.training.running_average import RunningAverage
from SkullGANLib.training.schedule import average_weight
from torch import nn


def test_the_average_forgets_fast_at_first_and_slowly_later():
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = RunningAverage(network)
    nn.init.ones_(network.weight)
    average.update(torch.tensor(average_weight(0.99, 0)))
    assert torch.allclose(average.network.weight, torch.tensor(0.9))  # (1 + 0) / (10 + 0) is left
    average.update(torch.tensor(average_weight(0.99, 10**6)))
    assert torch.allclose(average.network.weight, torch.tensor(0.901))


def test_statistics_are_averaged_and_counts_are_copied():
    network = nn.BatchNorm2d(2)
    average = RunningAverage(network)
    network(torch.randn(4, 2, 3, 3) + 5.0)
    average.update(torch.tensor(1.0))
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert average.network.num_batches_tracked == 1


def test_the_average_is_no_part_of_the_network_and_learns_nothing_by_itself():
    network = nn.Linear(2, 2)
    average = RunningAverage(network)
    with torch.no_grad():
        network.weight.add_(1.0)
    assert torch.allclose(average.network.weight + 1.0, network.weight)
