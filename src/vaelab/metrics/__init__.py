"""Metrics: one file, one metric, one function of plain arrays. Nothing here imports torch.

A metric's arguments without a default are arrays, asked for by name as pytest's tests ask for fixtures; whoever has
arrays of these names can compute it:

    codes, scales         (image, latent)  the posteriors' means and standard deviations
    latent_rates          (image, latent)  nats, where posterior and prior factorise
    rates, distortions    (image,)         nats; elbos is minus their sum
    log_evidences         (image,)         the importance-weighted estimate of log p(x), nats
    level_elbos           (image,)         nats: the ELBO of the image's 256 grey levels
    inferred_elbos        (image,)         nats, under a posterior searched for the image: `vaelab.inference.infer`
    effective_samples     (image,)         how many equal weights would be as good
    images                (image, channel, row, column)  in [0, 1]; reconstructions likewise
    pixels                (drawn image, pixel)  of some images, 10,000 at most and 200 MB; drawn (image,) says of which
    image_ranks           (drawn image, neighbour, 2)  of the nearest by code, the rank by pixels, the nearest having
                          rank 1; and of the nearest by pixels, the rank by code: a fifth of all images, 10 at least
    factor_ranks          (image, neighbour, 2)  the same of codes and factors, each factor divided by its deviation
    latent_moves          (drawn image, latent, channel)  how far the image moves, as root mean square over pixels, when
                          the latent crosses the central 95 % of its distribution
    labels, clusters      (image,)         what is known of an image, and where it was put
    groups                (image,)         which images belong together, such as those of one well or plate
    factors               (image, factor)  known numbers
    squared_errors        (image,)         mean squared error of the pixels of its reconstruction
    overlaps              (image,)         pixels above 0.5 in both, over those in either
    nearest_errors        (image,)         the squared error of the training image that has the least
    reached_errors        (image,)         the squared error at the best code found; not a number where none was sought
    regions               (image, region)  inside a hole of the training set, outside; then both of each place
    desired, reached      (image, target)  what a classifier was wanted to say of each step of a series, and says
    series_codes          (image, target, latent)  where each step lies; returned_codes what the encoder makes of its
                          image; drawn_codes (image, latent) what it makes of the image's reconstruction
    series_nearest        (image, target)  distance of each step's code to the nearest training code; code_nearest
                          (image,) that of the image's own code
    real_features         (image, feature)  of the images that have series; series_features (image, target, feature)
                          of each step; drawn_features (image, feature) of their reconstructions
    step_changes          (image, channel)  mean absolute difference of steps and reconstruction; changed_shares the
                          share of pixels that differ by more than 0.05 between the extreme steps
    gone, back            (image,)         mean absolute difference to the reconstruction: of the extreme step, and of
                          the end of the way back from there
    deleted_classes       (image, 2, step)  where a classifier puts an image whose pixels are replaced step by step, the
                          most salient first, and at random; deleted_said the probability that it gives to the class of
                          the whole image; inserted_classes, inserted_said likewise where the image comes back
    image_features        (image, feature)  what a classifier sees in the images; sample_features in as many samples,
                          reconstruction_features in the reconstructions
    image_classes         (image,)         where the classifier puts the image; reconstruction_classes where it puts the
                          reconstruction; label_classes where the image belongs: numbers from 0
    class_probabilities   (image, class)   how sure a calibrated classifier is of each class; known_classes (image,)
                          where the image belongs: numbers from 0
    known_numbers         (image,)         what a column says of the image; predicted_numbers what is read off the image

Those with a default are settings, or facts that are known by that name: num_samples, num_pixels, num_levels, space,
normalized, channels, factor_names, region_names, class_names, target_names, batches (image,) which groups were made
together, reference_classes (image,) what an image is, as a number from 0, value_alone: whether intervals, nulls and
ceilings are not wanted. A metric gives one `Score`, or several: of the whole first, then of its parts.
"""

from __future__ import annotations

from vaelab.metrics._metric import GROUPS, Metric, PerImage, Words, metric, per_image
from vaelab.metrics._resample import interval, interval_of_means, mean_score
from vaelab.metrics._score import Score, Way

__all__ = [
    "GROUPS",
    "Metric",
    "PerImage",
    "Score",
    "Way",
    "Words",
    "interval",
    "interval_of_means",
    "mean_score",
    "metric",
    "per_image",
]
