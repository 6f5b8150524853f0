"""The two networks of SkullGAN, as Table 1 of the paper has them, at any width.

``Generator()`` turns latent vectors into segments, ``Discriminator()`` scores them. The names in
their state dicts are those of the published weights. Both see intensities in [-1, 1]; what that is
in HU belongs to the model, not to the network.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..errors import BadInputError

LATENT_SIZE = 200
GENERATOR_WIDTH = 4096
DISCRIMINATOR_WIDTH = 64
IMAGE_SIZE = 128
NARROWEST = 8
"""Channels that no hidden layer goes below, however narrow the network is chosen."""


class Generator(nn.Module):
    """Makes 128 x 128 segments out of latent vectors (Table 1, left).

    Six transposed convolutions double the grid and halve the channels, noise is injected, and four
    plain convolutions halve the channels down to one image. With no arguments it has 192,002,304
    trainable parameters. A narrower one halves from ``width`` in the same way, but keeps
    ``NARROWEST`` channels: 256 gives 256, 128, 64, 32, 16, 8 | 8, 8, 8, 1.

    Args:
        latent_size: numbers in a latent vector.
        width: channels of the first layer.

    Example:
        >>> generator = Generator(latent_size=20, width=64).eval()
        >>> generator(torch.rand(3, 20) * 2 - 1).shape
        torch.Size([3, 1, 128, 128])
    """

    def __init__(self, latent_size: int = LATENT_SIZE, width: int = GENERATOR_WIDTH) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.width = width
        c = [max(width // 2**halvings, NARROWEST) for halvings in range(9)]
        self.main1 = _upward(latent_size, c[0], stride=1, padding=0)  # 4 x 4
        self.main2 = _upward(c[0], c[1])
        self.main3 = _upward(c[1], c[2])
        self.main4 = _upward(c[2], c[3])
        self.main5 = _upward(c[3], c[4])  # 64 x 64
        # A sequence of one: the published weights call this layer main6.0.
        self.main6 = nn.Sequential(nn.ConvTranspose2d(c[4], c[5], 4, 2, 1, bias=False))
        self.conv1 = nn.Conv2d(c[5], c[6], 3, padding=1)
        self.conv2 = nn.Conv2d(c[6], c[7], 3, padding=1)
        self.conv3 = nn.Conv2d(c[7], c[8], 3, padding=1)
        self.conv4 = nn.Conv2d(c[8], 1, 3, padding=1, bias=False)
        self.noise_shapes = ((c[5], IMAGE_SIZE, IMAGE_SIZE), (c[7], IMAGE_SIZE, IMAGE_SIZE))
        """Channels, rows and columns of the two noises that ``forward`` takes."""

    def forward(
        self,
        latent: Tensor,
        noise: tuple[Tensor, Tensor] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Make one image per latent vector.

        Args:
            latent: float (N, latent_size) or (N, latent_size, 1, 1), uniform in [-1, 1].
            noise: two tensors (N, *shape) of standard normal numbers, one for each shape of
                ``noise_shapes``. Given, the image is a function of latent and noise alone (in
                evaluation mode); None draws them.
            generator: where the noise is drawn from; None is torch's own generator.

        Returns:
            float (N, 1, 128, 128) in [-1, 1].
        """
        first, second = noise if noise is not None else self.draw_noise(latent, generator)
        x = latent.reshape(len(latent), self.latent_size, 1, 1)
        x = self.main5(self.main4(self.main3(self.main2(self.main1(x)))))
        x = inject_noise(self.main6(x), first)
        x = inject_noise(self.conv2(self.conv1(x)), second)
        return torch.tanh(self.conv4(self.conv3(x)))

    def draw_latent(
        self,
        count: int,
        device: torch.device | str = "cpu",
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw latent vectors, float32 (count, latent_size), uniform in [-1, 1]."""
        return torch.rand(count, self.latent_size, device=device, generator=generator) * 2 - 1

    def draw_noise(
        self, latent: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw what ``forward`` takes as noise for these latent vectors, on their device."""
        first, second = (
            torch.randn(
                len(latent), *s, device=latent.device, dtype=latent.dtype, generator=generator
            )
            for s in self.noise_shapes
        )
        return first, second


class Discriminator(nn.Module):
    """Scores how real an image looks (Table 1, right); 11,164,353 parameters with no arguments.

    Calling it gives the logit, from which binary cross entropy is computed without overflow;
    ``realness`` applies Table 1's last layer, the sigmoid.

    Args:
        width: channels of the first layer; each of the next four doubles them.

    Example:
        >>> discriminator = Discriminator(width=8).eval()
        >>> discriminator(torch.zeros(3, 1, 128, 128)).shape
        torch.Size([3])
    """

    def __init__(self, width: int = DISCRIMINATOR_WIDTH) -> None:
        super().__init__()
        self.width = width
        c = [width * 2**doublings for doublings in range(5)]
        self.main = nn.Sequential(
            nn.Conv2d(1, c[0], 4, 2, 1),  # 64 x 64
            nn.LeakyReLU(0.2, inplace=True),
            *_downward(c[0], c[1]),
            *_downward(c[1], c[2]),
            *_downward(c[2], c[3]),
            *_downward(c[3], c[4]),  # 4 x 4
            nn.Conv2d(c[4], 1, 4, 1, 0),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Give the logit of realness, float (N,), of images (N, 1, 128, 128) in [-1, 1]."""
        return self.main(image).flatten()

    def realness(self, image: Tensor) -> Tensor:
        """Give the realness in [0, 1], float (N,): Table 1's output, not calibrated."""
        return torch.sigmoid(self(image))


def inject_noise(x: Tensor, noise: Tensor) -> Tensor:
    """Add noise where the activation is moderate: y = x + m(x) · ε · σ, as the published code does.

    Per sample and channel, σ is the unbiased standard deviation of x over rows and columns and M
    its maximum; m(x) is x where -M/2 ≤ x ≤ M/4 and 0 elsewhere.

    Args:
        x: float (N, channels, rows, columns).
        noise: ε, standard normal, of the same shape.

    Example:
        Four pixels 0, 1, 2, 4 have M = 4, so 2 and 4 stay as they are; σ is 1.708.

        >>> x = torch.tensor([[[[0.0, 1.0], [2.0, 4.0]]]])
        >>> inject_noise(x, torch.ones_like(x)).flatten()
        tensor([0.0000, 2.7078, 2.0000, 4.0000])
    """
    sigma = x.std(dim=(2, 3), keepdim=True)
    largest = x.amax(dim=(2, 3), keepdim=True).detach()
    moderate = (x >= -largest / 2) & (x <= largest / 4)
    return x + torch.where(moderate, x, 0) * noise * sigma


def initialize(network: nn.Module, weight_std: float, generator: torch.Generator) -> None:
    """Draw the initial weights: convolutions N(0, weight_std), batch-norm scale N(1, 0.01).

    Biases and shifts start at 0, running statistics at mean 0 and variance 1.

    Args:
        network: a generator or a discriminator, changed in place.
        weight_std: standard deviation of the convolutions' weights; 0 chooses it layer by layer as
            sqrt(1 / inputs of an output pixel), which hands the variance on unchanged. A narrow
            network needs that: with few inputs a small fixed deviation makes signal and gradient
            fade from layer to layer.
        generator: where the weights are drawn from, on the network's device.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            std = weight_std or math.sqrt(1 / _inputs_of_an_output(layer))
            nn.init.normal_(layer.weight, 0.0, std, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            nn.init.normal_(layer.weight, 1.0, 0.01, generator=generator)
            nn.init.zeros_(layer.bias)


def chosen_device(name: str) -> torch.device:
    """Turn "auto", "cpu", "cuda", "cuda:1" or "mps" into a device that is there.

    "auto" is the first GPU, or the CPU where there is none.

    Raises:
        BadInputError: if the text is no device, or the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadInputError(
            f"The device is {name!r}, expected auto, cpu, cuda, cuda:<number> or mps."
        ) from error
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(_has_mps())}
    if (device.index or 0) >= counts.get(device.type, 0):
        raise BadInputError(
            f"The device is {name!r}, but this machine (with this PyTorch, {torch.__version__}) "
            f"has {torch.cuda.device_count()} CUDA device(s); cpu always works."
        )
    return device


def trainable_parameters(network: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _upward(inputs: int, outputs: int, stride: int = 2, padding: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _downward(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, 4, 2, 1),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2, inplace=True),
    )


def _inputs_of_an_output(layer: nn.Conv2d | nn.ConvTranspose2d) -> float:
    taps: float = layer.kernel_size[0] * layer.kernel_size[1]
    if isinstance(layer, nn.ConvTranspose2d):
        # Strided, each output pixel meets only its share of the kernel; unstrided on a 1 x 1
        # grid, exactly one tap.
        taps = taps / (layer.stride[0] * layer.stride[1]) if layer.stride[0] > 1 else 1
    return layer.in_channels * taps
