"""The two networks of SkullGAN, as Table 1 of the paper has them, at any width.

``Generator()`` turns latent vectors into segments, ``Discriminator()`` scores them; ``networks``
gives both of an ``Architecture``, which may differ from Table 1. The names in their state dicts are
those of the published weights. Both see intensities in [-1, 1]; what that is in HU belongs to the
model, not to the network.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .architecture import IMAGE_SIZE, Architecture
from .projection import Projection

LATENT_SIZE = 200
GENERATOR_WIDTH = 4096
DISCRIMINATOR_WIDTH = 64
BACKGROUND = -1.0
"""Intensity of what is no wall."""

LEAK = 0.2
"""Slope of the leaky ReLUs below 0."""
_MOMENTUM = 0.01


class Generator(nn.Module):
    """Makes 128 x 128 segments out of latent vectors (Table 1, left).

    Six transposed convolutions double the grid and halve the channels, noise is injected, and four
    plain convolutions halve the channels down to one image. With no arguments it has 192,002,304
    trainable parameters. A narrower one halves from ``width`` in the same way, but keeps
    ``NARROWEST`` channels: 256 gives 256, 128, 64, 32, 16, 8 | 8, 8, 8, 1.

    Args:
        latent_size: numbers in a latent vector.
        width: channels of the first layer.
        architecture: what is otherwise than in Table 1; its own sizes are not read.

    Example:
        >>> generator = Generator(latent_size=20, width=64).eval()
        >>> generator(torch.rand(3, 20) * 2 - 1).shape
        torch.Size([3, 1, 128, 128])
    """

    def __init__(
        self,
        latent_size: int = LATENT_SIZE,
        width: int = GENERATOR_WIDTH,
        architecture: Architecture | None = None,
    ) -> None:
        super().__init__()
        shape = replace(architecture or Architecture(), generator_width=width)
        self.shape = shape
        """Its architecture; what is said of the discriminator there is not its own."""
        self.latent_size = latent_size
        self.input_size = latent_size + shape.condition_size
        """Numbers that ``forward`` takes for an image: the latent vector, and what it is told."""
        self.width = width
        self.rows = shape.image_rows
        """Rows from the top that are made; the others are background."""
        self.smoothing = shape.generator_smoothing
        self.noise_scales = shape.noise_scales
        self.activation = shape.generator_activation
        c = shape.generator_layers
        grid = (self.rows // 32, IMAGE_SIZE // 32)  # 4 x 4 in Table 1
        self.main1 = _upward(nn.ConvTranspose2d(self.input_size, c[0], grid, bias=False))
        self.main2 = _upward(_doubling(c[0], c[1]))
        self.main3 = _upward(_doubling(c[1], c[2]))
        self.main4 = _upward(_doubling(c[2], c[3], self.smoothing))
        self.main5 = _upward(_doubling(c[3], c[4], self.smoothing))  # 64 x 64
        # A sequence of one: the published weights call this layer main6.0.
        self.main6 = nn.Sequential(_doubling(c[4], c[5], self.smoothing))
        self.conv1 = nn.Conv2d(c[5], c[6], 3, padding=1)
        self.conv2 = nn.Conv2d(c[6], c[7], 3, padding=1)
        self.conv3 = nn.Conv2d(c[7], c[8], 3, padding=1)
        self.conv4 = nn.Conv2d(c[8], shape.slices, 3, padding=1, bias=False)
        self.noise_shapes = ((c[5], self.rows, IMAGE_SIZE), (c[7], self.rows, IMAGE_SIZE))
        """Channels, rows and columns of the two noises that ``forward`` takes."""

    def forward(
        self,
        latent: Tensor,
        noise: tuple[Tensor, Tensor] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Make one image per latent vector.

        Args:
            latent: float (N, input_size) or (N, input_size, 1, 1): latent vectors, uniform in
                [-1, 1], each followed by the conditions, where the architecture has some
                (``conditions.Conditions.encode``).
            noise: two tensors (N, *shape) of standard normal numbers, one for each shape of
                ``noise_shapes``. Given, the image is a function of latent and noise alone (in
                evaluation mode); None draws them.
            generator: where the noise is drawn from; None is torch's own generator.

        Returns:
            float (N, 1, 128, 128) in [-1, 1]; the channels of a stack are its slices.
        """
        first, second = noise if noise is not None else self.draw_noise(latent, generator)
        x = latent.reshape(len(latent), self.input_size, 1, 1)
        x = self.main5(self.main4(self.main3(self.main2(self.main1(x)))))
        first, second = self.scaled(first), self.scaled(second)
        x = inject_noise(self.main6(x), first)
        x = inject_noise(self.activated(self.conv2(self.activated(self.conv1(x)))), second)
        return with_all_rows(torch.tanh(self.conv4(self.activated(self.conv3(x)))))

    def activated(self, x: Tensor) -> Tensor:
        """Apply what follows the first three plain convolutions; in Table 1, nothing."""
        return x if self.activation == "none" else functional.leaky_relu(x, LEAK)

    def scaled(self, noise: Tensor) -> Tensor:
        """Give white noise as it is injected; in Table 1, as it is."""
        return noise if self.noise_scales == 1 else at_scales(noise, self.noise_scales)

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
        architecture: what is otherwise than in Table 1; its own sizes are not read.

    Example:
        >>> discriminator = Discriminator(width=8).eval()
        >>> discriminator(torch.zeros(3, 1, 128, 128)).shape
        torch.Size([3])
    """

    def __init__(
        self, width: int = DISCRIMINATOR_WIDTH, architecture: Architecture | None = None
    ) -> None:
        super().__init__()
        shape = replace(architecture or Architecture(), discriminator_width=width)
        self.shape = shape
        """Its architecture; what is said of the generator there is not its own."""
        self.width = width
        self.rows = shape.image_rows
        """Rows from the top that are seen."""
        self.norm = shape.discriminator_norm
        self.minibatch_std = shape.minibatch_std
        c = shape.discriminator_layers
        deviations = int(self.minibatch_std > 0)
        self.main = nn.Sequential(
            nn.Conv2d(shape.slices, c[0], 4, 2, 1),  # 64 x 64
            nn.LeakyReLU(LEAK, inplace=True),
            *_downward(c[0], c[1], self.norm),
            *_downward(c[1], c[2], self.norm),
            *_downward(c[2], c[3], self.norm),
            *_downward(c[3], c[4], self.norm),  # 4 x 4
            nn.Conv2d(c[4] + deviations, 1, (self.rows // 32, IMAGE_SIZE // 32)),
        )
        if self.norm == "spectral":
            for layer in self.main:
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)
        self.deviation = MinibatchDeviation(self.minibatch_std) if self.minibatch_std else None
        self.projection = Projection(shape.condition_size, c[4]) if shape.conditions else None

    def forward(self, image: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Give the logit of realness.

        Args:
            image: float (N, slices, 128, 128) in [-1, 1].
            conditions: float (N, condition_size), what the images are to be, where the architecture
                has conditions.

        Returns:
            float (N,).

        Raises:
            BadInputError: if it is not told the conditions that it judges by.
        """
        return self.judged(self.features(image), conditions)

    def judged(self, features: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Give the logit of what ``features`` gave."""
        logit = self.main[-1](features).flatten()
        if self.projection is None:
            return logit
        return logit + self.projection(features, conditions).sum((1, 2))

    def features(self, image: Tensor) -> Tensor:
        """Give what the last layer sees of images, float (N, channels, rows / 32, 4)."""
        x = self.main[:-1](image[:, :, : self.rows])
        return x if self.deviation is None else self.deviation(x)

    def realness(self, image: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Give the realness in [0, 1], float (N,): Table 1's output, not calibrated."""
        return torch.sigmoid(self(image, conditions))


class MinibatchDeviation(nn.Module):
    """One more channel: how much the features of a group of images differ (Karras et al. 2018,
    section 3), by which a discriminator notices images that are all alike.

    In evaluation mode it is what it was on average during the training, so that an image's logit
    does not depend on the others of its batch.

    Args:
        group: images in a group; a batch of the training holds whole groups.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group
        self.register_buffer("running", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Append the channel to features (N, channels, rows, columns)."""
        assert isinstance(self.running, Tensor)
        if self.training:
            groups = x.float().unflatten(0, (-1, self.group))
            spread = (groups.var(1, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
            self.running.lerp_(self.over_processes(spread.detach().mean()), _MOMENTUM)
            spread = spread.repeat_interleave(self.group)
        else:
            spread = self.running.expand(len(x))
        plane = spread[:, None, None, None].expand(-1, 1, *x.shape[2:])
        return torch.cat([x, plane.to(x.dtype)], 1)

    def over_processes(self, mean: Tensor) -> Tensor:
        """Give the mean over the processes of a training; here it is alone."""
        return mean


def networks(architecture: Architecture) -> tuple[Generator, Discriminator]:
    """Make both networks of an architecture, with PyTorch's initial weights."""
    return (
        Generator(architecture.latent_size, architecture.generator_width, architecture),
        Discriminator(architecture.discriminator_width, architecture),
    )


def architecture_of(generator: Generator, discriminator: Discriminator) -> Architecture:
    """Give the architecture that ``networks`` would make these two of."""
    seen = discriminator.shape
    return replace(
        generator.shape,
        latent_size=generator.latent_size,
        discriminator_width=discriminator.width,
        discriminator_channels=seen.discriminator_channels,
        discriminator_norm=seen.discriminator_norm,
        minibatch_std=seen.minibatch_std,
    )


def with_all_rows(images: Tensor) -> Tensor:
    """Add rows of background below images (N, slices, rows, 128), so that they are 128 x 128."""
    missing = IMAGE_SIZE - images.shape[2]
    return functional.pad(images, (0, 0, 0, missing), value=BACKGROUND) if missing else images


def smoothed(x: Tensor) -> Tensor:
    """Low-pass: (1, 2, 1) / 4 in rows and in columns, zeros beyond the edges.

    It takes away the pattern of fixed phase that a transposed convolution of stride 2 prints: its
    response at half the sampling frequency is 0.

    Args:
        x: float (N, channels, rows, columns).

    Example:
        >>> smoothed(torch.tensor([[[[1.0, -1.0, 1.0, -1.0]] * 3]]))[0, 0, 1, 1:3]
        tensor([0., 0.])
    """
    # Made where they are: a tensor of numbers would be copied from the host, which waits for it.
    taps = 0.5 - torch.arange(-1, 2, dtype=x.dtype, device=x.device).abs() / 4
    kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(x, kernel, padding=1, groups=x.shape[1])


def at_scales(noise: Tensor, scales: int) -> Tensor:
    """Give noise whose channels take turns at several scales, made of as much white noise.

    A channel's blocks of 2^k x 2^k pixels are averaged and interpolated bilinearly, and scaled to a
    variance of 1 again. Marrow varies from pixel to pixel and from one trabecular space to the
    next; of white noise, the few layers that follow cannot make what is larger than they see.

    Args:
        noise: float (N, channels, rows, columns), standard normal; rows and columns are multiples
            of 2^(scales - 1).
        scales: how many.
    """
    parts = [noise[:, ::scales]]
    for k in range(1, scales):
        block = 2**k
        coarse = functional.avg_pool2d(noise[:, k::scales], block) * block
        fine = functional.interpolate(coarse, scale_factor=block, mode="bilinear")
        parts.append(fine / _interpolated_std(block))
    scaled = torch.empty_like(noise)
    for k, part in enumerate(parts):
        scaled[:, k::scales] = part
    return scaled


def _interpolated_std(block: int) -> float:
    """Standard deviation that bilinear interpolation by a factor leaves of white noise."""
    weights = [(i + 0.5) / block for i in range(block)]
    return sum(w * w + (1 - w) ** 2 for w in weights) / block


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


def trainable_parameters(network: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _upward(layer: nn.ConvTranspose2d) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU(inplace=True))


def _doubling(inputs: int, outputs: int, smoothing: bool = False) -> nn.ConvTranspose2d:
    kind = _SmoothedConvTranspose2d if smoothing else nn.ConvTranspose2d
    return kind(inputs, outputs, 4, 2, 1, bias=False)


class _SmoothedConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution followed by the low-pass."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return smoothed(super().forward(x, output_size))


def _downward(inputs: int, outputs: int, norm: str) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, 4, 2, 1),
        # Layers keep their numbers, and with them their names in files.
        nn.BatchNorm2d(outputs) if norm == "batch" else nn.Identity(),
        nn.LeakyReLU(LEAK, inplace=True),
    )
