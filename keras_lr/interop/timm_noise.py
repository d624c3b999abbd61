r"""The noise that timm puts on learning rates, drawn as torch draws it.

Step t has a generator of its own, seeded with ``noise_seed + t``; it draws standard
normal numbers z until :math:`|\sigma z|` is below a bound, and the rate is multiplied
by :math:`1 + \sigma z`. So that the rates are timm's without torch, its numbers are
drawn here as its generator for the CPU draws them:

* It is a Mersenne twister (Matsumoto and Nishimura 1998, doi:10.1145/272991.272995)
  that takes the lower 32 bits of a seed as its authors' ``init_genrand`` does. So does
  NumPy's ``RandomState``, and both give the same words.
* Two words, the first of them the higher, make 64 bits, of which the lower 53 are a
  number in [0, 1).
* Two such numbers u and v make two normal ones, :math:`\sqrt{-2 \ln(1 - v)}` times the
  cosine and the sine of :math:`2 \pi u` (Box and Muller 1958,
  doi:10.1214/aoms/1177706645). Torch asks for one number at a time and gets the cosine,
  then the sine.
* Each is rounded to float32.

None of this is promised by torch; the tests compare it with the one that is installed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Noise:
    """What timm multiplies rates by.

    Attributes:
        first: The first step with noise.
        end: The first step behind the noise; infinite where it does not end.
        bound: How large it may get, above 0: larger numbers are drawn anew.
        deviation: The standard deviation before that, above 0.
        seed: The seed of step 0.
    """

    first: float
    end: float
    bound: float
    deviation: float
    seed: int

    def factors(self, steps: IntArray) -> FloatArray:
        """One factor a step.

        Args:
            steps: Steps from 0, in any order; a step that comes again has the same.
        """
        factors = np.ones(steps.shape)
        is_noisy = (steps >= self.first) & (steps < self.end)
        # Where steps are epochs, all updates of one are the same step.
        noisy, places = np.unique(steps[is_noisy], return_inverse=True)
        bound = self.bound / self.deviation
        factors[is_noisy] += (
            self.deviation * normals_within(bound, self.seed + noisy)[places]
        )
        return factors


def normals_within(bound: float, seeds: IntArray, draws: int = 8) -> FloatArray:
    """The first normal number of each seed whose size is below a bound.

    Args:
        bound: The bound, above 0.
        seeds: Seeds of any sign and size.
        draws: How many numbers of each seed are looked at first, an even number.

    Example:
        >>> normals_within(10.0, np.array([0, 42])).round(6)
        array([1.540996, 0.33669 ])
    """
    twister = np.random.MT19937()
    seeding = np.random.RandomState(twister)
    words = np.empty((len(seeds), 2 * draws), np.uint64)
    for row, seed in zip(words, seeds.tolist(), strict=True):
        seeding.seed(seed % 2**32)
        row[:] = twister.random_raw(2 * draws)
    drawn = normals(words)
    fits = np.abs(drawn) < bound
    found: FloatArray = drawn[np.arange(len(seeds)), fits.argmax(axis=1)]
    left = np.flatnonzero(~fits.any(axis=1))
    # No more than some megabytes of words at a time.
    parts = 1 + len(left) * 16 * draws // 2**18
    for some in np.array_split(left, parts):
        if len(some):
            found[some] = normals_within(bound, seeds[some], 8 * draws)
    return found


def normals(words: Words) -> FloatArray:
    """The normal numbers that torch makes of words of its generator.

    Args:
        words: Of 32 bits each, in rows; four of a row make two numbers.
    """
    high = words[:, ::2] << np.uint64(32)
    bits = (high | words[:, 1::2]) & np.uint64(2**53 - 1)
    uniform = bits * 2.0**-53
    angle = 2.0 * np.pi * uniform[:, ::2]
    radius = np.sqrt(-2.0 * np.log1p(-uniform[:, 1::2]))
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    # Not -1, which no rows leave open.
    rows = pairs.reshape(len(words), words.shape[1] // 2)
    return rows.astype(np.float32).astype(np.float64)
