"""Response by response-logistic in 2 printed cohorts; written by netlm-bayes 0.2.0.

Needs numpy and PyMC only. Every number that enters the likelihood, and every prior, is in the block
of data; run the file to draw from the posterior. Coefficients are log hazard ratios or, of
response, log odds ratios, level vs reference; time is in months.
"""

import itertools
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pymc as pm
import pytensor.tensor as pt

type Array = npt.NDArray[np.float64]
type Subgroup = dict[str, list[str]]  # levels by covariate; empty: everyone
# Coefficients, each of a product of none, one or two standardised inputs.
type Polynomial = list[tuple[float, list[str]]]


class Number(TypedDict):
    """A printed number, and how simulated pages of its cohort depend on their inputs.

    Ratios, standard errors and events are on the log scale, responses on the logit scale. A point
    of a curve has the value log(-log S), 1/2 for a median, and enters as log H(month) - value. The
    standard deviation is the root of exp(2 log_sd) + added, a variance of rounding and emulation.
    """

    what: str
    value: float
    mean: Polynomial
    log_sd: Polynomial
    added: float


class Page(TypedDict):
    """All that one cohort prints: one multivariate normal observation, given its inputs."""

    cohort: str
    # The cohort's parameters, at its mean patient, and those of the page alone, with the mean and
    # standard deviation of their priors; inputs are standardised by centre and scale.
    inputs: list[str]
    nuisances: dict[str, tuple[float, float]]
    centre: list[float]
    scale: list[float]
    numbers: list[Number]
    correlation: list[list[float]]  # of the numbers; rows up to the diagonal
    # Log odds that all numbers exist, as a median that is reached does; empty where they always do.
    exists: Polynomial
    # Log hazard ratios at which curves of several combinations of levels are mixed.
    mixed_at: list[float]
    # Points of survival curves: place of the number, endpoint, subgroup, month, whether a median.
    points: list[tuple[int, str, Subgroup, float, bool]]
    # Ratios printed because they are significant: place, place of the standard error (-1 where
    # there is none), |estimate / standard error| beyond which they are printed.
    selected: list[tuple[int, int, float]]
    # Log odds that all ratios so printed are significant, where these correlate; empty otherwise.
    significant: Polynomial
    # Numbers of which only bounds are known: place, bounds, standard deviations beyond these.
    unprinted: list[tuple[int, float, float, float]]


# --- data ---
COHORTS: list[str] = ["sysu-2016-2020", "sysu-rectal-2022-2024"]
LEVELS: Subgroup = {
    "htb": ["<10%", "10-25%", "25-50%", ">50%"],
    "ki67": ["<=10%", ">10%"],
    "bone": ["no", "yes"],
    "margin": ["unclear", "clear"],
    "site": ["pancreas", "nonpancreas"],
}
REFERENCE: dict[str, str] = {
    "htb": "<10%",
    "ki67": "<=10%",
    "bone": "no",
    "margin": "unclear",
    "site": "pancreas",
}
# Share of each level, a list a covariate; or, where covariates are associated, one list with the
# share of every combination of levels, the last covariate turning fastest.
SHARES: dict[str, list[list[float]]] = {
    "sysu-2016-2020": [
        [0.26724137931, 0.224137931034, 0.206896551724, 0.301724137931],
        [0.844827586207, 0.155172413793],
        [0.741379310345, 0.258620689655],
        [0.206896551724, 0.793103448276],
        [0.465517241379, 0.534482758621],
    ],
    "sysu-rectal-2022-2024": [
        [0.26724137931, 0.224137931034, 0.206896551724, 0.301724137931],
        [0.844827586207, 0.155172413793],
        [0.741379310345, 0.258620689655],
        [0.206896551724, 0.793103448276],
        [0.0, 1.0],
    ],
}
# Margins borrowed from another cohort are uncertain: the log share of each level moves by these
# steps for one standard deviation.
TILTS: dict[str, dict[str, list[float]]] = {
    "sysu-rectal-2022-2024": {
        "htb": [0.0, 0.166666666667, 0.333333333333, 0.5],
        "ki67": [0.0, 0.5],
        "bone": [0.0, 0.5],
        "margin": [0.0, 0.5],
    },
}
# Share of each level but the reference in the average patient, whom the prior of the level is of.
CENTRE: dict[str, dict[str, float]] = {
    "htb": {"10-25%": 0.224137931034, "25-50%": 0.206896551724, ">50%": 0.301724137931},
    "ki67": {">10%": 0.155172413793},
    "bone": {"yes": 0.258620689655},
    "margin": {"clear": 0.793103448276},
    "site": {"nonpancreas": 0.73},
}
# Of a cohort: its parameters before its effects; months at which its level is. "weibull",
# "piecewise", or "" of response; cuts are the months at which a piecewise hazard may step.
# "partial", "complete" or "none".
OWN: list[str] = ["level"]
ANCHOR: float = 12.0
BASELINE: str = ""
CUTS: list[float] = []
POOLING: str = "partial"
# Endpoints that are part of the modelled one, whose hazard is a share of its hazard; the share has
# this beta prior.
PARTS: dict[str, tuple[float, float]] = {}
# Mean (of a half-normal 0), standard deviation, and why.
PRIORS: dict[str, tuple[float, float, str]] = {
    "effect": (0.0, 1.0, "95 % of odds ratios between 0.14 and 7.1"),
    "level": (0.0, 1.5, "log odds of response, average patient"),
    "heterogeneity_effect": (0.0, 0.5, "Roever et al. 2021, 10.1002/jrsm.1475"),
    "heterogeneity_level": (0.0, 0.5, "Roever et al. 2021, 10.1002/jrsm.1475"),
}
# Responders of cohorts that print nothing else: cohort, subgroup, responders, of how many.
COUNTS: list[tuple[str, Subgroup, int, int]] = []
# fmt: off
PAGES: list[Page] = [
    {
        "cohort": "sysu-2016-2020",
        "inputs": [
            "level",
            "htb: 10-25%",
            "htb: 25-50%",
            "htb: >50%",
            "ki67: >10%",
            "bone: yes",
            "margin: clear",
            "site: nonpancreas",
            "association htb, ki67",
            "association htb, bone",
            "association htb, margin",
            "association htb, site",
            "association ki67, bone",
            "association ki67, margin",
            "association ki67, site",
            "association bone, margin",
            "association bone, site",
            "association margin, site",
        ],
        "nuisances": {
            "association htb, ki67": (0.0, 1.0),
            "association htb, bone": (0.0, 1.0),
            "association htb, margin": (0.0, 1.0),
            "association htb, site": (0.0, 1.0),
            "association ki67, bone": (0.0, 1.0),
            "association ki67, margin": (0.0, 1.0),
            "association ki67, site": (0.0, 1.0),
            "association bone, margin": (0.0, 1.0),
            "association bone, site": (0.0, 1.0),
            "association margin, site": (0.0, 1.0),
        },
        "centre": [
            1.40341168773, 0.324215094081, 0.0597499332459, -0.123023462938, -1.16559009567,
            -1.2437067306, 1.0444160655, 0.75350452197, 0.117774401287, -0.00480201278495,
            -0.152651915642, -0.0339932366173, -0.0990627923584, -0.295647643861, -0.0651911603838,
            -0.0623993643772, 0.175565259824, 0.296857963114,
        ],
        "scale": [
            0.340863509844, 0.91014288231, 0.887057574382, 0.823700762109, 0.745756210891,
            0.648236016254, 0.719604142759, 0.639176462842, 1.40942525832, 1.40544114243,
            1.40897606551, 1.40887471664, 1.30182711248, 1.32610749773, 1.33404738589,
            1.28648670961, 1.23224339052, 1.31822098912,
        ],
        "numbers": [
            {
                "what": "item 25, logit",
                "value": 1.27766052012,
                "mean": [
                    (1.19580578201, []), (0.268701426386, ["level"]),
                    (-0.0176847092711, ["htb: 10-25%"]), (-0.0026258777482, ["htb: 25-50%"]),
                    (0.0177613900336, ["htb: >50%"]), (0.023214518507, ["ki67: >10%"]),
                    (0.0392393103616, ["bone: yes"]), (-0.028953481042, ["margin: clear"]),
                    (-0.0349510700144, ["site: nonpancreas"]),
                    (-0.00314401154503, ["association htb, ki67"]),
                    (-0.00296626638688, ["association htb, bone"]),
                    (0.00190625792683, ["association htb, margin"]),
                    (0.000341811111843, ["association htb, site"]),
                    (-0.00213227636014, ["association ki67, bone"]),
                    (0.0029360197544, ["association ki67, margin"]),
                    (0.00488493396572, ["association ki67, site"]),
                    (0.00349969279077, ["association bone, margin"]),
                    (0.00719722414576, ["association bone, site"]),
                    (-0.00462898893639, ["association margin, site"]),
                    (-0.0206309076638, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.018360790727, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.0179825181441, ["htb: >50%", "htb: >50%"]),
                    (-0.0065059604369, ["ki67: >10%", "ki67: >10%"]),
                    (-0.00798314973891, ["bone: yes", "bone: yes"]),
                    (-0.00706605831249, ["margin: clear", "margin: clear"]),
                    (-0.0130989425164, ["site: nonpancreas", "site: nonpancreas"]),
                    (0.0101293890047, ["level", "ki67: >10%"]),
                    (0.0109517231317, ["level", "bone: yes"]),
                    (-0.00940443589908, ["level", "margin: clear"]),
                    (-0.0066818242895, ["level", "site: nonpancreas"]),
                    (-0.00369471894292, ["level", "association ki67, bone"]),
                    (0.00993626580351, ["htb: 10-25%", "htb: 25-50%"]),
                    (0.013586723, ["htb: 10-25%", "htb: >50%"]),
                    (0.00289731696762, ["htb: 10-25%", "association ki67, bone"]),
                    (0.0127516912361, ["htb: 25-50%", "htb: >50%"]),
                    (-0.00280290050281, ["htb: >50%", "association htb, site"]),
                    (-0.00463999796257, ["bone: yes", "site: nonpancreas"]),
                    (0.00502978759136, ["site: nonpancreas", "association bone, site"]),
                ],
                "log_sd": [
                    (-1.64047708047, []), (0.068425627703, ["level"]),
                    (-0.0052565489644, ["htb: 10-25%"]), (-0.00543749070731, ["htb: 25-50%"]),
                    (0.00517233985811, ["htb: >50%"]), (0.024091233994, ["ki67: >10%"]),
                    (0.0389747451156, ["bone: yes"]), (-0.0236106907974, ["margin: clear"]),
                    (-0.0206478532524, ["site: nonpancreas"]),
                    (0.000972443808479, ["association htb, ki67"]),
                    (-0.00380400629123, ["association htb, bone"]),
                    (0.00511816082693, ["association htb, margin"]),
                    (0.00178495565499, ["association htb, site"]),
                    (-0.00182462842261, ["association ki67, bone"]),
                    (0.0131201744796, ["association ki67, margin"]),
                    (0.00954529443932, ["association ki67, site"]),
                    (0.00698526313046, ["association bone, margin"]),
                    (0.00958213274332, ["association bone, site"]),
                    (-0.000736317666558, ["association margin, site"]),
                ],
                "added": 0.000100387365918,
            },
            {
                "what": "item 76, log odds ratio",
                "value": 0.881091994908,
                "mean": [
                    (0.65764359845, []), (-0.000225074658851, ["level"]),
                    (-0.00375920132786, ["htb: 10-25%"]), (-0.00239702591409, ["htb: 25-50%"]),
                    (0.00122580538524, ["htb: >50%"]), (0.0192016822503, ["ki67: >10%"]),
                    (0.0479195733498, ["bone: yes"]), (-0.00750567433872, ["margin: clear"]),
                    (0.521794512326, ["site: nonpancreas"]),
                    (-0.00231147989931, ["association htb, ki67"]),
                    (0.00204394004367, ["association htb, bone"]),
                    (-0.00255406331185, ["association htb, margin"]),
                    (-0.0171128617067, ["association htb, site"]),
                    (-0.0127397217769, ["association ki67, bone"]),
                    (0.00345360712758, ["association ki67, margin"]),
                    (-0.102815566652, ["association ki67, site"]),
                    (0.00546028123216, ["association bone, margin"]),
                    (-0.128435245098, ["association bone, site"]),
                    (0.10713245045, ["association margin, site"]),
                    (-0.00698968097522, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.00404984948591, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.00660340299248, ["ki67: >10%", "ki67: >10%"]),
                    (-0.00845073983333, ["bone: yes", "bone: yes"]),
                    (-0.00621774034503, ["margin: clear", "margin: clear"]),
                    (-0.00670520362388, ["level", "association ki67, site"]),
                    (-0.0164407660405, ["htb: 10-25%", "association htb, site"]),
                    (0.0147734974978, ["htb: 25-50%", "association htb, site"]),
                    (0.0708230382225, ["htb: >50%", "association htb, site"]),
                    (0.017379266576, ["ki67: >10%", "site: nonpancreas"]),
                    (0.0635708643564, ["ki67: >10%", "association ki67, site"]),
                    (-0.00921821560198, ["ki67: >10%", "association bone, site"]),
                    (0.0163221395807, ["bone: yes", "site: nonpancreas"]),
                    (0.0668169108685, ["bone: yes", "association bone, site"]),
                    (-0.0206346821937, ["margin: clear", "site: nonpancreas"]),
                    (0.0715969250718, ["margin: clear", "association margin, site"]),
                    (-0.0118036332112, ["association htb, ki67", "association htb, site"]),
                    (-0.0140006533589, ["association htb, bone", "association htb, site"]),
                    (0.0144831924318, ["association htb, margin", "association htb, site"]),
                    (-0.013094532183, ["association ki67, bone", "association ki67, site"]),
                    (-0.00941135806607, ["association ki67, bone", "association bone, site"]),
                    (0.00870367823139, ["association ki67, margin", "association ki67, site"]),
                    (-0.0109235359712, ["association ki67, margin", "association margin, site"]),
                    (0.0169149603139, ["association bone, margin", "association bone, site"]),
                    (-0.0109323678608, ["association bone, margin", "association margin, site"]),
                ],
                "log_sd": [
                    (-0.789481521213, []), (0.0691252556556, ["level"]),
                    (-0.0044335721692, ["htb: 10-25%"]), (0.000150509702736, ["htb: 25-50%"]),
                    (0.0098579951406, ["htb: >50%"]), (0.00692686613207, ["ki67: >10%"]),
                    (0.0122006920057, ["bone: yes"]), (-0.0121771210779, ["margin: clear"]),
                    (0.0100060513721, ["site: nonpancreas"]),
                    (-0.0124956735914, ["association htb, ki67"]),
                    (-0.0013442803348, ["association htb, bone"]),
                    (-0.00115556840476, ["association htb, margin"]),
                    (0.00122191888025, ["association htb, site"]),
                    (-0.00393749614346, ["association ki67, bone"]),
                    (0.00704292963427, ["association ki67, margin"]),
                    (-0.00506591665368, ["association ki67, site"]),
                    (-0.000902942024181, ["association bone, margin"]),
                    (-0.0047126103063, ["association bone, site"]),
                    (0.000800333916494, ["association margin, site"]),
                ],
                "added": 0.0017325982985,
            },
            {
                "what": "item 79, log odds ratio",
                "value": -1.32709304565,
                "mean": [
                    (-1.03473653135, []), (-0.00611846651789, ["level"]),
                    (0.00306292101794, ["htb: 10-25%"]), (0.00433643413343, ["htb: 25-50%"]),
                    (-0.00280191163403, ["htb: >50%"]), (0.596639586577, ["ki67: >10%"]),
                    (-0.0451425330842, ["bone: yes"]), (0.0214428128516, ["margin: clear"]),
                    (0.0351342680314, ["site: nonpancreas"]),
                    (-0.017505312067, ["association htb, ki67"]),
                    (-0.00272547058551, ["association htb, bone"]),
                    (-0.00363399739048, ["association htb, margin"]),
                    (-0.00087742496787, ["association htb, site"]),
                    (-0.123003145085, ["association ki67, bone"]),
                    (0.0967142722949, ["association ki67, margin"]),
                    (0.0920698966245, ["association ki67, site"]),
                    (-0.0021734575219, ["association bone, margin"]),
                    (-0.00300969228596, ["association bone, site"]),
                    (0.00638085564786, ["association margin, site"]),
                    (0.00666327169581, ["htb: 10-25%", "htb: 10-25%"]),
                    (0.0090751538192, ["htb: 25-50%", "htb: 25-50%"]),
                    (0.00890090901106, ["htb: >50%", "htb: >50%"]),
                    (0.012454317265, ["bone: yes", "bone: yes"]),
                    (0.00923041009596, ["margin: clear", "margin: clear"]),
                    (0.0138844142471, ["site: nonpancreas", "site: nonpancreas"]),
                    (-0.0102118650103, ["association ki67, bone", "association ki67, bone"]),
                    (-0.00998790928476, ["association ki67, margin", "association ki67, margin"]),
                    (-0.0212396387839, ["htb: 10-25%", "association htb, ki67"]),
                    (0.0144148734994, ["htb: 25-50%", "association htb, ki67"]),
                    (0.0707168344655, ["htb: >50%", "association htb, ki67"]),
                    (0.0234502452066, ["ki67: >10%", "bone: yes"]),
                    (-0.018197519472, ["ki67: >10%", "margin: clear"]),
                    (-0.0174811377899, ["ki67: >10%", "site: nonpancreas"]),
                    (0.0121706143076, ["ki67: >10%", "association bone, site"]),
                    (0.0587568616275, ["bone: yes", "association ki67, bone"]),
                    (0.0658118908526, ["margin: clear", "association ki67, margin"]),
                    (0.081915999191, ["site: nonpancreas", "association ki67, site"]),
                    (-0.0215030100625, ["association htb, ki67", "association htb, bone"]),
                    (0.0142105371771, ["association htb, ki67", "association htb, margin"]),
                    (-0.0132507158024, ["association ki67, site", "association bone, site"]),
                    (0.0142214514732, ["association ki67, site", "association margin, site"]),
                ],
                "log_sd": [
                    (-0.593397293558, []), (0.028803520805, ["level"]),
                    (-0.00423052718393, ["htb: 10-25%"]), (0.00122654584119, ["htb: 25-50%"]),
                    (0.00192134362885, ["htb: >50%"]), (0.00883925856238, ["ki67: >10%"]),
                    (-0.00133188893397, ["bone: yes"]), (-0.000289793141647, ["margin: clear"]),
                    (-0.00842636095485, ["site: nonpancreas"]),
                    (0.000297502904906, ["association htb, ki67"]),
                    (0.0034970129279, ["association htb, bone"]),
                    (-0.00900462390043, ["association htb, margin"]),
                    (-0.000784986579452, ["association htb, site"]),
                    (0.00743607685282, ["association ki67, bone"]),
                    (-0.00168116497559, ["association ki67, margin"]),
                    (0.00495661015327, ["association ki67, site"]),
                    (0.00963044460667, ["association bone, margin"]),
                    (-0.000708972432384, ["association bone, site"]),
                    (-0.00313557925692, ["association margin, site"]),
                ],
                "added": 0.00101745858566,
            },
            {
                "what": "item 80, log odds ratio",
                "value": 0.425667815426,
                "mean": [
                    (0.273908273134, []), (-0.00085824484667, ["level"]),
                    (0.753159254651, ["htb: 10-25%"]), (-0.00314885550829, ["htb: 25-50%"]),
                    (-0.00506314941393, ["htb: >50%"]), (0.00311954051186, ["ki67: >10%"]),
                    (0.00716534394195, ["bone: yes"]), (-0.0174345948591, ["margin: clear"]),
                    (-0.0113309914929, ["site: nonpancreas"]),
                    (-0.0289637082535, ["association htb, ki67"]),
                    (-0.0503564304474, ["association htb, bone"]),
                    (0.0355894649951, ["association htb, margin"]),
                    (0.0353897269003, ["association htb, site"]),
                    (0.00336109949766, ["association ki67, bone"]),
                    (0.00422323520001, ["association ki67, margin"]),
                    (-0.00390205012667, ["association ki67, site"]),
                    (0.00656448603716, ["association bone, margin"]),
                    (0.00591036774559, ["association bone, site"]),
                    (-0.00274545771962, ["association margin, site"]),
                    (0.0285989231458, ["htb: 10-25%", "bone: yes"]),
                    (-0.0276497942742, ["htb: 10-25%", "margin: clear"]),
                    (0.0257426538541, ["ki67: >10%", "association htb, ki67"]),
                    (0.0292721248051, ["bone: yes", "association htb, bone"]),
                    (0.0229104589746, ["margin: clear", "association htb, margin"]),
                    (0.0264290515054, ["site: nonpancreas", "association htb, site"]),
                ],
                "log_sd": [
                    (-0.366969699298, []), (0.0839636327403, ["level"]),
                    (0.0766822106013, ["htb: 10-25%"]), (-0.0446189343018, ["htb: 25-50%"]),
                    (-0.0571057118615, ["htb: >50%"]), (0.0176022745788, ["ki67: >10%"]),
                    (0.0299061601782, ["bone: yes"]), (-0.0161614198827, ["margin: clear"]),
                    (-0.0161818343155, ["site: nonpancreas"]),
                    (0.0156753245408, ["association htb, ki67"]),
                    (0.0137036498022, ["association htb, bone"]),
                    (-0.00823189971914, ["association htb, margin"]),
                    (-0.00895003031215, ["association htb, site"]),
                    (0.00119289497945, ["association ki67, bone"]),
                    (0.000279205610907, ["association ki67, margin"]),
                    (0.000968466147853, ["association ki67, site"]),
                    (0.00477661399087, ["association bone, margin"]),
                    (-0.000407790987453, ["association bone, site"]),
                    (-0.0032305805079, ["association margin, site"]),
                ],
                "added": 0.00102579705229,
            },
            {
                "what": "item 81, log odds ratio",
                "value": 0.0818962763229,
                "mean": [
                    (0.0534963158029, []), (-0.00464450586036, ["level"]),
                    (0.0143585477421, ["htb: 10-25%"]), (0.723127243905, ["htb: 25-50%"]),
                    (-0.00439431815864, ["htb: >50%"]), (-0.000234241444764, ["ki67: >10%"]),
                    (0.00101314859287, ["bone: yes"]), (-0.00665230578169, ["margin: clear"]),
                    (-0.00545626390047, ["site: nonpancreas"]),
                    (-0.0735077612065, ["association htb, ki67"]),
                    (-0.0956955327871, ["association htb, bone"]),
                    (0.0859335198598, ["association htb, margin"]),
                    (0.0670360593707, ["association htb, site"]),
                    (0.00256360835402, ["association ki67, bone"]),
                    (0.00599156812761, ["association ki67, margin"]),
                    (-0.00499559828245, ["association ki67, site"]),
                    (-0.00376986631978, ["association bone, margin"]),
                    (-0.000138013058623, ["association bone, site"]),
                    (-0.0036848586336, ["association margin, site"]),
                    (0.0292866111878, ["htb: 25-50%", "ki67: >10%"]),
                    (0.0379290472885, ["htb: 25-50%", "bone: yes"]),
                    (-0.0305238173591, ["htb: 25-50%", "margin: clear"]),
                    (-0.0145939677588, ["htb: 25-50%", "site: nonpancreas"]),
                    (0.0473911413515, ["ki67: >10%", "association htb, ki67"]),
                    (0.0569405888852, ["bone: yes", "association htb, bone"]),
                    (0.0494092985933, ["margin: clear", "association htb, margin"]),
                    (0.0603754009899, ["site: nonpancreas", "association htb, site"]),
                    (0.0141291581287, ["association ki67, margin", "association bone, margin"]),
                ],
                "log_sd": [
                    (-0.384720390131, []), (0.0787388572276, ["level"]),
                    (-0.0445289022422, ["htb: 10-25%"]), (0.0778741048159, ["htb: 25-50%"]),
                    (-0.0530900804961, ["htb: >50%"]), (0.00925660607258, ["ki67: >10%"]),
                    (0.0154886111688, ["bone: yes"]), (-0.00602935179941, ["margin: clear"]),
                    (-0.00872927039157, ["site: nonpancreas"]),
                    (0.00548240154419, ["association htb, ki67"]),
                    (0.00610050465363, ["association htb, bone"]),
                    (-0.00218354854163, ["association htb, margin"]),
                    (0.00259041472139, ["association htb, site"]),
                    (0.000967547957128, ["association ki67, bone"]),
                    (-0.00390813488584, ["association ki67, margin"]),
                    (0.00415762079103, ["association ki67, site"]),
                    (0.00315847995826, ["association bone, margin"]),
                    (0.00231621492609, ["association bone, site"]),
                    (0.00338944774265, ["association margin, site"]),
                ],
                "added": 0.00243597821101,
            },
            {
                "what": "item 82, log odds ratio",
                "value": -0.157917162623,
                "mean": [
                    (-0.123521489267, []), (-0.00895932279938, ["level"]),
                    (0.00854102080344, ["htb: 10-25%"]), (-0.00210854447685, ["htb: 25-50%"]),
                    (0.663761007142, ["htb: >50%"]), (-0.00530397554063, ["ki67: >10%"]),
                    (-0.00959116071751, ["bone: yes"]), (-0.000381885598113, ["margin: clear"]),
                    (-0.00543045014795, ["site: nonpancreas"]),
                    (-0.102987642063, ["association htb, ki67"]),
                    (-0.150974484631, ["association htb, bone"]),
                    (0.119274064952, ["association htb, margin"]),
                    (0.102932092568, ["association htb, site"]),
                    (0.00432094682281, ["association ki67, bone"]),
                    (0.00117157872893, ["association ki67, margin"]),
                    (-0.00651381266776, ["association ki67, site"]),
                    (-0.00088537569579, ["association bone, margin"]),
                    (0.00613127262981, ["association bone, site"]),
                    (-0.00362605768983, ["association margin, site"]),
                    (0.0256575250098, ["htb: >50%", "ki67: >10%"]),
                    (0.0365940466131, ["htb: >50%", "bone: yes"]),
                    (-0.0249362424271, ["htb: >50%", "margin: clear"]),
                    (-0.0112136693584, ["htb: >50%", "site: nonpancreas"]),
                    (0.0117194059025, ["htb: >50%", "association bone, margin"]),
                    (0.0673254899397, ["ki67: >10%", "association htb, ki67"]),
                    (0.0832746565589, ["bone: yes", "association htb, bone"]),
                    (0.0742219652074, ["margin: clear", "association htb, margin"]),
                    (-0.013568243262, ["margin: clear", "association ki67, site"]),
                    (0.0844237411797, ["site: nonpancreas", "association htb, site"]),
                    (-0.0152197197613, ["association htb, ki67", "association ki67, bone"]),
                    (0.0136058325362, ["association htb, ki67", "association ki67, margin"]),
                    (0.017567094502, ["association htb, ki67", "association ki67, site"]),
                    (-0.0129080747325, ["association htb, bone", "association ki67, bone"]),
                    (0.012218548077, ["association htb, bone", "association bone, site"]),
                    (-0.0115804022129, ["association htb, margin", "association bone, margin"]),
                    (-0.0191205157303, ["association htb, site", "association ki67, site"]),
                    (-0.0175164888722, ["association htb, site", "association bone, site"]),
                    (0.0180393983509, ["association htb, site", "association margin, site"]),
                ],
                "log_sd": [
                    (-0.501639539358, []), (0.0794512988351, ["level"]),
                    (-0.045301406014, ["htb: 10-25%"]), (-0.0386109249718, ["htb: 25-50%"]),
                    (0.0260425300939, ["htb: >50%"]), (0.010657994658, ["ki67: >10%"]),
                    (0.0150857739834, ["bone: yes"]), (-0.0095544628936, ["margin: clear"]),
                    (-0.00771705530243, ["site: nonpancreas"]),
                    (0.00319227398275, ["association htb, ki67"]),
                    (-0.00242078147093, ["association htb, bone"]),
                    (0.005606319665, ["association htb, margin"]),
                    (0.00335683614622, ["association htb, site"]),
                    (0.000921001155208, ["association ki67, bone"]),
                    (-0.00947740197157, ["association ki67, margin"]),
                    (-0.00185862022764, ["association ki67, site"]),
                    (0.000233858607989, ["association bone, margin"]),
                    (0.0164801037202, ["association bone, site"]),
                    (0.000682350413543, ["association margin, site"]),
                ],
                "added": 0.00131176306022,
            },
            {
                "what": "item 83, log odds ratio",
                "value": -1.302553633,
                "mean": [
                    (-1.06282886847, []), (-0.00750327071032, ["level"]),
                    (0.0127139775027, ["htb: 10-25%"]), (-0.00521185634744, ["htb: 25-50%"]),
                    (-0.0101772813243, ["htb: >50%"]), (-0.0358150096418, ["ki67: >10%"]),
                    (0.537499448715, ["bone: yes"]), (0.0416232144304, ["margin: clear"]),
                    (0.0465403487759, ["site: nonpancreas"]),
                    (-0.00477139687284, ["association htb, ki67"]),
                    (-0.0172739079606, ["association htb, bone"]),
                    (0.000986826897045, ["association htb, margin"]),
                    (-0.00307591410571, ["association htb, site"]),
                    (-0.0888315681344, ["association ki67, bone"]),
                    (-0.00584629675735, ["association ki67, margin"]),
                    (-0.00727084238678, ["association ki67, site"]),
                    (0.100990357412, ["association bone, margin"]),
                    (0.098034352716, ["association bone, site"]),
                    (0.00593746374119, ["association margin, site"]),
                    (-0.00764005728811, ["level", "level"]),
                    (0.0136796063679, ["htb: 10-25%", "htb: 10-25%"]),
                    (0.0162624592321, ["htb: 25-50%", "htb: 25-50%"]),
                    (0.00680246184216, ["htb: >50%", "htb: >50%"]),
                    (0.0142468250285, ["ki67: >10%", "ki67: >10%"]),
                    (0.014786077311, ["margin: clear", "margin: clear"]),
                    (0.008087556307, ["site: nonpancreas", "site: nonpancreas"]),
                    (-0.00829267408407, ["association ki67, bone", "association ki67, bone"]),
                    (-0.0111323757508, ["association bone, margin", "association bone, margin"]),
                    (-0.0200726667349, ["htb: 10-25%", "htb: 25-50%"]),
                    (-0.0218759330279, ["htb: 10-25%", "association htb, bone"]),
                    (0.0165073173259, ["htb: 25-50%", "association htb, bone"]),
                    (0.0729130216061, ["htb: >50%", "association htb, bone"]),
                    (0.0204742470006, ["ki67: >10%", "bone: yes"]),
                    (0.0550432651789, ["ki67: >10%", "association ki67, bone"]),
                    (-0.0152122583456, ["bone: yes", "margin: clear"]),
                    (-0.0177280023366, ["bone: yes", "site: nonpancreas"]),
                    (0.0632310050954, ["margin: clear", "association bone, margin"]),
                    (0.0780802933597, ["site: nonpancreas", "association bone, site"]),
                    (-0.0114098853732, ["association htb, ki67", "association htb, bone"]),
                    (0.0116589859816, ["association htb, bone", "association htb, margin"]),
                    (0.00867373269819, ["association ki67, bone", "association ki67, margin"]),
                    (-0.0139660633822, ["association ki67, site", "association bone, site"]),
                    (0.0141126157883, ["association bone, site", "association margin, site"]),
                ],
                "log_sd": [
                    (-0.740355733256, []), (0.046513078141, ["level"]),
                    (-0.0074149783273, ["htb: 10-25%"]), (-0.00166099209916, ["htb: 25-50%"]),
                    (0.00127829338348, ["htb: >50%"]), (0.00863524632561, ["ki67: >10%"]),
                    (0.00987183685938, ["bone: yes"]), (-0.00765542994917, ["margin: clear"]),
                    (-0.00228258364856, ["site: nonpancreas"]),
                    (0.00613670180246, ["association htb, ki67"]),
                    (-0.00130532794387, ["association htb, bone"]),
                    (0.000244324593222, ["association htb, margin"]),
                    (0.00197849556429, ["association htb, site"]),
                    (0.00563772820141, ["association ki67, bone"]),
                    (0.00425619708607, ["association ki67, margin"]),
                    (0.00171179493683, ["association ki67, site"]),
                    (-0.00558002926309, ["association bone, margin"]),
                    (0.00708086983444, ["association bone, site"]),
                    (-0.00231721476932, ["association margin, site"]),
                ],
                "added": 0.00112108337986,
            },
            {
                "what": "item 87, log odds ratio",
                "value": 1.28666452017,
                "mean": [
                    (0.961364056073, []), (0.00366493723259, ["level"]),
                    (-0.0100676647888, ["htb: 10-25%"]), (0.00084371425214, ["htb: 25-50%"]),
                    (0.00450473243847, ["htb: >50%"]), (0.0185464371162, ["ki67: >10%"]),
                    (0.0352125411507, ["bone: yes"]), (0.578869749799, ["margin: clear"]),
                    (-0.00719121249306, ["site: nonpancreas"]),
                    (-0.00238695408767, ["association htb, ki67"]),
                    (-0.00382420897383, ["association htb, bone"]),
                    (-0.0183240900597, ["association htb, margin"]),
                    (0.00303823183831, ["association htb, site"]),
                    (-0.00215037913911, ["association ki67, bone"]),
                    (-0.0900505091156, ["association ki67, margin"]),
                    (0.000351224866347, ["association ki67, site"]),
                    (-0.128448481268, ["association bone, margin"]),
                    (-0.00024844015639, ["association bone, site"]),
                    (0.092826151221, ["association margin, site"]),
                    (-0.00529796353647, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.0108882248503, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.0057170191915, ["htb: >50%", "htb: >50%"]),
                    (-0.00829246204813, ["ki67: >10%", "ki67: >10%"]),
                    (-0.0113845244731, ["bone: yes", "bone: yes"]),
                    (-0.0141931721847, ["site: nonpancreas", "site: nonpancreas"]),
                    (0.0131469130459, ["association ki67, margin", "association ki67, margin"]),
                    (-0.0137996767979, ["htb: 10-25%", "association htb, margin"]),
                    (0.0719548134598, ["htb: >50%", "association htb, margin"]),
                    (0.0244326869065, ["ki67: >10%", "margin: clear"]),
                    (0.0565614013226, ["ki67: >10%", "association ki67, margin"]),
                    (0.0244161468642, ["bone: yes", "margin: clear"]),
                    (-0.0140994352426, ["bone: yes", "site: nonpancreas"]),
                    (0.0713897697198, ["bone: yes", "association bone, margin"]),
                    (-0.0154450724874, ["margin: clear", "site: nonpancreas"]),
                    (0.0790543378268, ["site: nonpancreas", "association margin, site"]),
                    (-0.0166576875652, ["association htb, bone", "association htb, margin"]),
                    (0.0120857098705, ["association htb, margin", "association htb, site"]),
                    (-0.0180571461751, ["association ki67, bone", "association ki67, margin"]),
                    (-0.0108021994726, ["association ki67, bone", "association bone, margin"]),
                    (0.0103934545865, ["association ki67, margin", "association ki67, site"]),
                    (0.0120817310321, ["association bone, margin", "association bone, site"]),
                    (-0.0132795372934, ["association bone, site", "association margin, site"]),
                ],
                "log_sd": [
                    (-0.670866004901, []), (0.0535577064384, ["level"]),
                    (-0.00442828228325, ["htb: 10-25%"]), (0.00316875398753, ["htb: 25-50%"]),
                    (0.00633199203986, ["htb: >50%"]), (0.00802545429372, ["ki67: >10%"]),
                    (0.00231632404414, ["bone: yes"]), (-0.0247969048852, ["margin: clear"]),
                    (-0.0179547100099, ["site: nonpancreas"]),
                    (-0.00340780148588, ["association htb, ki67"]),
                    (0.000614047224683, ["association htb, bone"]),
                    (-0.00173762391764, ["association htb, margin"]),
                    (0.0079009660914, ["association htb, site"]),
                    (-0.00358014023911, ["association ki67, bone"]),
                    (0.008822931176, ["association ki67, margin"]),
                    (0.000267770809778, ["association ki67, site"]),
                    (0.00100948889686, ["association bone, margin"]),
                    (1.00539523409e-05, ["association bone, site"]),
                    (-0.00488421822744, ["association margin, site"]),
                ],
                "added": 0.00175665898817,
            },
            {
                "what": "item 89, log ratio",
                "value": 1.1387940783,
                "mean": [
                    (0.799834402482, []), (0.00404821667822, ["level"]),
                    (-0.010519595741, ["htb: 10-25%"]), (-0.00213632241299, ["htb: 25-50%"]),
                    (0.00614607525115, ["htb: >50%"]), (-0.00544746296577, ["ki67: >10%"]),
                    (0.00473496242509, ["bone: yes"]), (0.0042721684825, ["margin: clear"]),
                    (0.66486987149, ["site: nonpancreas"]),
                    (-0.00428342021184, ["association htb, ki67"]),
                    (0.00277674027576, ["association htb, bone"]),
                    (-0.00197631775634, ["association htb, margin"]),
                    (-0.0169189985395, ["association htb, site"]),
                    (-0.00466014657206, ["association ki67, bone"]),
                    (-0.000889214576544, ["association ki67, margin"]),
                    (-0.00854233901865, ["association ki67, site"]),
                    (-0.000411492098449, ["association bone, margin"]),
                    (0.00753409359857, ["association bone, site"]),
                    (-0.0036448330475, ["association margin, site"]),
                    (-0.00971227643747, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.00726087564487, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.00481198180931, ["htb: >50%", "htb: >50%"]),
                    (-0.00905484755093, ["htb: 10-25%", "site: nonpancreas"]),
                    (-0.021519083322, ["htb: 10-25%", "association htb, site"]),
                    (0.0188587286964, ["htb: 25-50%", "association htb, site"]),
                    (0.0851674510643, ["htb: >50%", "association htb, site"]),
                ],
                "log_sd": [
                    (-0.547260929242, []), (0.0767475228303, ["level"]),
                    (-0.00276454561232, ["htb: 10-25%"]), (-0.00764440516521, ["htb: 25-50%"]),
                    (0.0151507836286, ["htb: >50%"]), (-0.0186564390557, ["ki67: >10%"]),
                    (-0.0176662076778, ["bone: yes"]), (0.0235746515264, ["margin: clear"]),
                    (0.0325159613903, ["site: nonpancreas"]),
                    (-0.014408486417, ["association htb, ki67"]),
                    (0.0029091098368, ["association htb, bone"]),
                    (-0.000370563699401, ["association htb, margin"]),
                    (-0.000750063522344, ["association htb, site"]),
                    (0.00398015532443, ["association ki67, bone"]),
                    (-0.00334883715938, ["association ki67, margin"]),
                    (0.000598750565024, ["association ki67, site"]),
                    (-0.0208488093768, ["association bone, margin"]),
                    (0.0092316822353, ["association bone, site"]),
                    (-0.00354997773145, ["association margin, site"]),
                ],
                "added": 0.000511905921059,
            },
            {
                "what": "item 89, log se",
                "value": -0.54096100824,
                "mean": [
                    (-0.68438510757, []), (0.0736049581599, ["level"]),
                    (-0.00745538790335, ["htb: 10-25%"]), (-0.00129269960421, ["htb: 25-50%"]),
                    (0.00697166968742, ["htb: >50%"]), (-0.0160259178998, ["ki67: >10%"]),
                    (-0.0153509539734, ["bone: yes"]), (0.015366317259, ["margin: clear"]),
                    (0.058534662748, ["site: nonpancreas"]),
                    (-0.000560111020321, ["association htb, ki67"]),
                    (0.000141434972345, ["association htb, bone"]),
                    (-5.46902583077e-05, ["association htb, margin"]),
                    (-0.00122073227765, ["association htb, site"]),
                    (0.00529564839669, ["association ki67, bone"]),
                    (-0.00302189396391, ["association ki67, margin"]),
                    (0.00140328922322, ["association ki67, site"]),
                    (-0.0058537790221, ["association bone, margin"]),
                    (0.00733220651497, ["association bone, site"]),
                    (0.00054708997061, ["association margin, site"]),
                    (0.00645406443369, ["level", "level"]),
                    (-0.0110217511506, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.0107417928528, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.0104174390338, ["htb: >50%", "htb: >50%"]),
                    (0.00413770874465, ["ki67: >10%", "ki67: >10%"]),
                    (0.00501801687574, ["bone: yes", "bone: yes"]),
                    (0.00491951131617, ["margin: clear", "margin: clear"]),
                    (-0.0113408582966, ["site: nonpancreas", "site: nonpancreas"]),
                    (0.00622372486081, ["association ki67, site", "association ki67, site"]),
                    (0.00971048050281, ["association bone, site", "association bone, site"]),
                    (0.00964065954573, ["association margin, site", "association margin, site"]),
                    (0.00332252297441, ["level", "ki67: >10%"]),
                    (0.0066800024886, ["level", "bone: yes"]),
                    (-0.00401030420732, ["level", "margin: clear"]),
                    (0.00699497510892, ["htb: 10-25%", "htb: 25-50%"]),
                    (0.0069696824915, ["htb: 10-25%", "htb: >50%"]),
                    (0.00716357046865, ["htb: 25-50%", "htb: >50%"]),
                    (0.00204207880721, ["htb: 25-50%", "association htb, site"]),
                    (-0.00271228779718, ["htb: >50%", "association htb, bone"]),
                    (0.00652723467693, ["htb: >50%", "association htb, site"]),
                    (-0.00346685972349, ["ki67: >10%", "association ki67, bone"]),
                    (0.00214104538421, ["ki67: >10%", "association ki67, margin"]),
                    (0.00263163762915, ["bone: yes", "margin: clear"]),
                    (-0.0031245805875, ["bone: yes", "association ki67, bone"]),
                    (0.00300939007001, ["bone: yes", "association bone, margin"]),
                    (-0.00382167036054, ["bone: yes", "association bone, site"]),
                    (-0.00280471134625, ["margin: clear", "association ki67, margin"]),
                    (0.00199684612839, ["margin: clear", "association ki67, site"]),
                    (-0.00447112888719, ["margin: clear", "association bone, margin"]),
                    (0.00183353018366, ["site: nonpancreas", "association ki67, site"]),
                ],
                "log_sd": [
                    (-2.26413703949, []), (0.114379213303, ["level"]),
                    (-0.0121674710122, ["htb: 10-25%"]), (-0.00698870504461, ["htb: 25-50%"]),
                    (0.0123616216513, ["htb: >50%"]), (-0.0324069714588, ["ki67: >10%"]),
                    (-0.011212190421, ["bone: yes"]), (0.0211615118904, ["margin: clear"]),
                    (-0.0450467477672, ["site: nonpancreas"]),
                    (-0.00954936763422, ["association htb, ki67"]),
                    (0.00439730099936, ["association htb, bone"]),
                    (0.00728806264933, ["association htb, margin"]),
                    (0.00459248826036, ["association htb, site"]),
                    (0.0139787655871, ["association ki67, bone"]),
                    (-0.00943222368288, ["association ki67, margin"]),
                    (0.0253711947392, ["association ki67, site"]),
                    (-0.0241959313209, ["association bone, margin"]),
                    (0.0269913671443, ["association bone, site"]),
                    (-0.0120042637383, ["association margin, site"]),
                ],
                "added": 3.4288655317e-05,
            },
            {
                "what": "item 90, log ratio",
                "value": -1.70925824772,
                "mean": [
                    (-1.21036039342, []), (-0.000252354603615, ["level"]),
                    (0.00768632015103, ["htb: 10-25%"]), (0.00507796797878, ["htb: 25-50%"]),
                    (-0.00141639730716, ["htb: >50%"]), (0.769638147612, ["ki67: >10%"]),
                    (0.00886590640538, ["bone: yes"]), (-0.00145769025553, ["margin: clear"]),
                    (0.00478294025793, ["site: nonpancreas"]),
                    (-0.0220999179962, ["association htb, ki67"]),
                    (-0.00366169716877, ["association htb, bone"]),
                    (-0.00919649421809, ["association htb, margin"]),
                    (-0.00614563541381, ["association htb, site"]),
                    (-0.00165285947419, ["association ki67, bone"]),
                    (0.000131920271957, ["association ki67, margin"]),
                    (-0.00713546632311, ["association ki67, site"]),
                    (0.00282655394176, ["association bone, margin"]),
                    (0.00451749545011, ["association bone, site"]),
                    (0.0042468952241, ["association margin, site"]),
                    (0.0122604131677, ["htb: 10-25%", "htb: 10-25%"]),
                    (0.0176872800357, ["htb: 25-50%", "htb: 25-50%"]),
                    (0.0140043319185, ["htb: >50%", "htb: >50%"]),
                    (-0.0265934798084, ["htb: 10-25%", "association htb, ki67"]),
                    (0.0200235073482, ["htb: 25-50%", "association htb, ki67"]),
                    (0.0859467352533, ["htb: >50%", "association htb, ki67"]),
                ],
                "log_sd": [
                    (-0.351554322341, []), (0.0481842273334, ["level"]),
                    (-0.00760606886644, ["htb: 10-25%"]), (-0.00201581051377, ["htb: 25-50%"]),
                    (0.00136337084649, ["htb: >50%"]), (0.00769057683924, ["ki67: >10%"]),
                    (-0.0289325041232, ["bone: yes"]), (0.0192486964067, ["margin: clear"]),
                    (0.0141880339069, ["site: nonpancreas"]),
                    (-0.00308225284473, ["association htb, ki67"]),
                    (0.00754780065315, ["association htb, bone"]),
                    (-0.00666549489139, ["association htb, margin"]),
                    (-0.00126449433248, ["association htb, site"]),
                    (0.00792367673163, ["association ki67, bone"]),
                    (-0.00492963420443, ["association ki67, margin"]),
                    (0.0145722236894, ["association ki67, site"]),
                    (0.00158352946647, ["association bone, margin"]),
                    (-0.0018472220552, ["association bone, site"]),
                    (0.000117574751232, ["association margin, site"]),
                ],
                "added": 0.00033516459816,
            },
            {
                "what": "item 90, log se",
                "value": -0.405777957671,
                "mean": [
                    (-0.503969778363, []), (0.0421716457932, ["level"]),
                    (-0.00502579509694, ["htb: 10-25%"]), (-0.00071974063263, ["htb: 25-50%"]),
                    (0.00393951162225, ["htb: >50%"]), (-0.0382694632859, ["ki67: >10%"]),
                    (-0.0209675326044, ["bone: yes"]), (0.0159928356829, ["margin: clear"]),
                    (0.011815873026, ["site: nonpancreas"]),
                    (0.000452716568606, ["association htb, ki67"]),
                    (0.000312794660891, ["association htb, bone"]),
                    (9.63319841903e-05, ["association htb, margin"]),
                    (-8.29620809438e-05, ["association htb, site"]),
                    (-0.00501229492976, ["association ki67, bone"]),
                    (-0.000518825401792, ["association ki67, margin"]),
                    (0.011259025519, ["association ki67, site"]),
                    (-0.00377235044788, ["association bone, margin"]),
                    (-0.00369868050757, ["association bone, site"]),
                    (0.00237041039684, ["association margin, site"]),
                    (0.0091852466912, ["level", "level"]),
                    (-0.00726677973673, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.00784474582459, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.00711619416823, ["htb: >50%", "htb: >50%"]),
                    (-0.0109007583555, ["ki67: >10%", "ki67: >10%"]),
                    (0.0062823768459, ["bone: yes", "bone: yes"]),
                    (0.00608358359244, ["margin: clear", "margin: clear"]),
                    (0.00650102496776, ["site: nonpancreas", "site: nonpancreas"]),
                    (0.00397111804003, ["association ki67, bone", "association ki67, bone"]),
                    (0.00555465982365, ["association ki67, margin", "association ki67, margin"]),
                    (0.00568902893742, ["association ki67, site", "association ki67, site"]),
                    (0.0192311049145, ["level", "ki67: >10%"]),
                    (-0.00434687782873, ["level", "site: nonpancreas"]),
                    (-0.00663894115878, ["level", "association ki67, bone"]),
                    (0.0050265009568, ["level", "association ki67, margin"]),
                    (0.00302675774868, ["level", "association ki67, site"]),
                    (0.00416329488228, ["htb: 10-25%", "htb: 25-50%"]),
                    (0.00439721995542, ["htb: 10-25%", "htb: >50%"]),
                    (0.00241604161788, ["htb: 10-25%", "association htb, ki67"]),
                    (0.00485178906059, ["htb: 25-50%", "htb: >50%"]),
                    (-0.00236748714521, ["htb: 25-50%", "association htb, ki67"]),
                    (-0.00466532116664, ["htb: >50%", "association htb, ki67"]),
                    (-0.00231132202446, ["htb: >50%", "association htb, bone"]),
                    (-0.0046991253101, ["ki67: >10%", "site: nonpancreas"]),
                    (-0.00582509019353, ["ki67: >10%", "association ki67, bone"]),
                    (0.00438370818979, ["ki67: >10%", "association ki67, margin"]),
                    (0.00455368557477, ["ki67: >10%", "association ki67, site"]),
                    (0.00253832426672, ["bone: yes", "site: nonpancreas"]),
                    (0.00452230412295, ["bone: yes", "association ki67, bone"]),
                    (0.00193761702534, ["bone: yes", "association bone, margin"]),
                    (0.00354578046708, ["margin: clear", "association ki67, margin"]),
                    (-0.00228918879933, ["margin: clear", "association bone, margin"]),
                    (0.00956199398085, ["site: nonpancreas", "association ki67, site"]),
                    (-0.00272536443804, ["site: nonpancreas", "association bone, site"]),
                    (-0.00217444659919, ["association ki67, bone", "association ki67, margin"]),
                ],
                "log_sd": [
                    (-2.38937816055, []), (0.0501740074225, ["level"]),
                    (-0.014069423271, ["htb: 10-25%"]), (-0.00976464525562, ["htb: 25-50%"]),
                    (0.00533958852946, ["htb: >50%"]), (0.127043911125, ["ki67: >10%"]),
                    (-0.0604904002626, ["bone: yes"]), (0.0414202969086, ["margin: clear"]),
                    (0.0423864548205, ["site: nonpancreas"]),
                    (-0.00497664656662, ["association htb, ki67"]),
                    (0.00112075199159, ["association htb, bone"]),
                    (0.00158685907778, ["association htb, margin"]),
                    (0.00428898013641, ["association htb, site"]),
                    (0.00580315306139, ["association ki67, bone"]),
                    (-0.010240883256, ["association ki67, margin"]),
                    (0.0342054113523, ["association ki67, site"]),
                    (-0.0146125260798, ["association bone, margin"]),
                    (-0.00231413114773, ["association bone, site"]),
                    (-0.00245158617723, ["association margin, site"]),
                ],
                "added": 0.000198353389313,
            },
            {
                "what": "item 91, log ratio",
                "value": -1.90380897304,
                "mean": [
                    (-1.29300003104, []), (-0.0104783573704, ["level"]),
                    (0.0197757967512, ["htb: 10-25%"]), (-0.00395894272264, ["htb: 25-50%"]),
                    (-0.0168608153988, ["htb: >50%"]), (0.00709578783287, ["ki67: >10%"]),
                    (0.668031716119, ["bone: yes"]), (0.000727812926066, ["margin: clear"]),
                    (-0.0030337763737, ["site: nonpancreas"]),
                    (-0.00421597343117, ["association htb, ki67"]),
                    (-0.0187114308565, ["association htb, bone"]),
                    (0.000233342214665, ["association htb, margin"]),
                    (-0.00476605744197, ["association htb, site"]),
                    (-0.000399645493887, ["association ki67, bone"]),
                    (-7.39616714893e-05, ["association ki67, margin"]),
                    (0.000512476513283, ["association ki67, site"]),
                    (0.00195253357828, ["association bone, margin"]),
                    (-0.000632007267516, ["association bone, site"]),
                    (4.80080637793e-05, ["association margin, site"]),
                    (0.0209192956311, ["htb: 10-25%", "htb: 10-25%"]),
                    (0.0276988735695, ["htb: 25-50%", "htb: 25-50%"]),
                    (0.0112737664782, ["htb: >50%", "htb: >50%"]),
                    (-0.0310994958566, ["htb: 10-25%", "htb: 25-50%"]),
                    (-0.0272148235789, ["htb: 10-25%", "association htb, bone"]),
                    (0.018043036406, ["htb: 25-50%", "association htb, bone"]),
                    (0.00579870519551, ["htb: >50%", "bone: yes"]),
                    (0.0870009624398, ["htb: >50%", "association htb, bone"]),
                ],
                "log_sd": [
                    (-0.512513216916, []), (0.0659988395959, ["level"]),
                    (-0.00442208067853, ["htb: 10-25%"]), (-0.00456805211338, ["htb: 25-50%"]),
                    (-0.000124596238342, ["htb: >50%"]), (-0.0203792151389, ["ki67: >10%"]),
                    (-0.00589034995876, ["bone: yes"]), (0.020121842948, ["margin: clear"]),
                    (0.0138619643234, ["site: nonpancreas"]),
                    (-0.00105452448412, ["association htb, ki67"]),
                    (-0.000167355559891, ["association htb, bone"]),
                    (-0.00264272843573, ["association htb, margin"]),
                    (-0.00224534996389, ["association htb, site"]),
                    (0.00146624144319, ["association ki67, bone"]),
                    (-0.00554469307879, ["association ki67, margin"]),
                    (0.00213485374151, ["association ki67, site"]),
                    (-0.0039757608423, ["association bone, margin"]),
                    (0.0248970225117, ["association bone, site"]),
                    (-0.000711480537839, ["association margin, site"]),
                ],
                "added": 0.000767819885815,
            },
            {
                "what": "item 91, log se",
                "value": -0.496580696197,
                "mean": [
                    (-0.65984308463, []), (0.0571257357085, ["level"]),
                    (-0.0070990853444, ["htb: 10-25%"]), (-0.000785209393839, ["htb: 25-50%"]),
                    (0.00605564361527, ["htb: >50%"]), (-0.0188781615971, ["ki67: >10%"]),
                    (-0.0600957425776, ["bone: yes"]), (0.01948564176, ["margin: clear"]),
                    (0.0132322377053, ["site: nonpancreas"]),
                    (-0.000152861297137, ["association htb, ki67"]),
                    (0.00152953650142, ["association htb, bone"]),
                    (-0.000583333703494, ["association htb, margin"]),
                    (0.000764928649213, ["association htb, site"]),
                    (-0.00147291895764, ["association ki67, bone"]),
                    (-0.00173072500169, ["association ki67, margin"]),
                    (-0.00338903090489, ["association ki67, site"]),
                    (0.00261340912916, ["association bone, margin"]),
                    (0.0146455685838, ["association bone, site"]),
                    (0.00321505097959, ["association margin, site"]),
                    (0.00903145062255, ["level", "level"]),
                    (-0.00944062137847, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.0106786111737, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.00876287456826, ["htb: >50%", "htb: >50%"]),
                    (0.00478833104972, ["ki67: >10%", "ki67: >10%"]),
                    (-0.0106724841612, ["bone: yes", "bone: yes"]),
                    (0.00549666715199, ["margin: clear", "margin: clear"]),
                    (0.00641896534708, ["site: nonpancreas", "site: nonpancreas"]),
                    (0.00426367663846, ["association ki67, bone", "association ki67, bone"]),
                    (0.00641289910809, ["association bone, margin", "association bone, margin"]),
                    (0.0094002269765, ["association bone, site", "association bone, site"]),
                    (0.0099639991379, ["level", "bone: yes"]),
                    (-0.00617174937366, ["level", "site: nonpancreas"]),
                    (-0.00386592090694, ["level", "association ki67, bone"]),
                    (0.00337409023399, ["level", "association bone, margin"]),
                    (0.00666519670683, ["htb: 10-25%", "htb: 25-50%"]),
                    (0.00577347004199, ["htb: 10-25%", "htb: >50%"]),
                    (0.00595155102698, ["htb: 25-50%", "htb: >50%"]),
                    (-0.00764994819551, ["htb: >50%", "association htb, bone"]),
                    (0.00303791669847, ["htb: >50%", "association htb, margin"]),
                    (0.00245320496516, ["ki67: >10%", "site: nonpancreas"]),
                    (0.00210187595499, ["ki67: >10%", "association ki67, site"]),
                    (-0.00225062425799, ["bone: yes", "margin: clear"]),
                    (-0.00311511199886, ["bone: yes", "site: nonpancreas"]),
                    (0.0023644556458, ["margin: clear", "association ki67, site"]),
                    (0.00316828013037, ["margin: clear", "association bone, margin"]),
                    (-0.00346892939127, ["site: nonpancreas", "association ki67, site"]),
                    (0.0106140260833, ["site: nonpancreas", "association bone, site"]),
                    (0.00288746689905, ["site: nonpancreas", "association margin, site"]),
                    (0.0028856442604, ["association htb, bone", "association htb, site"]),
                    (0.00271472915854, ["association bone, margin", "association margin, site"]),
                ],
                "log_sd": [
                    (-2.27274462126, []), (0.0885947997174, ["level"]),
                    (-0.00231355212833, ["htb: 10-25%"]), (-0.00833048672227, ["htb: 25-50%"]),
                    (-0.00212719108413, ["htb: >50%"]), (-0.0322326319746, ["ki67: >10%"]),
                    (0.106424227911, ["bone: yes"]), (0.0497756096271, ["margin: clear"]),
                    (0.04584948184, ["site: nonpancreas"]),
                    (-0.00449525597301, ["association htb, ki67"]),
                    (-0.00401009584577, ["association htb, bone"]),
                    (0.000321670090942, ["association htb, margin"]),
                    (-0.00112397343163, ["association htb, site"]),
                    (-0.0156731982338, ["association ki67, bone"]),
                    (0.00356690672871, ["association ki67, margin"]),
                    (-0.00394527030899, ["association ki67, site"]),
                    (0.0136360962787, ["association bone, margin"]),
                    (0.0526675673882, ["association bone, site"]),
                    (0.0046329960381, ["association margin, site"]),
                ],
                "added": 0.000150118548021,
            },
            {
                "what": "item 92, log ratio",
                "value": 1.39698699066,
                "mean": [
                    (1.08417753901, []), (0.00277713047339, ["level"]),
                    (-0.0170806330621, ["htb: 10-25%"]), (-0.00126608525746, ["htb: 25-50%"]),
                    (0.0104321777619, ["htb: >50%"]), (0.00310778533358, ["ki67: >10%"]),
                    (-0.00889120380051, ["bone: yes"]), (0.739162043296, ["margin: clear"]),
                    (0.00536400813098, ["site: nonpancreas"]),
                    (-0.00719139795721, ["association htb, ki67"]),
                    (-0.00740420765653, ["association htb, bone"]),
                    (-0.0204908304179, ["association htb, margin"]),
                    (0.00422972326994, ["association htb, site"]),
                    (-0.0035549359717, ["association ki67, bone"]),
                    (0.00232310502031, ["association ki67, margin"]),
                    (0.00294844266107, ["association ki67, site"]),
                    (-0.00444505335722, ["association bone, margin"]),
                    (-0.00383569702732, ["association bone, site"]),
                    (0.00195393566998, ["association margin, site"]),
                    (-0.012300596868, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.0257658592724, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.0195413009644, ["htb: >50%", "htb: >50%"]),
                    (-0.0156770968522, ["htb: 10-25%", "association htb, margin"]),
                    (0.0257115551196, ["htb: 25-50%", "htb: >50%"]),
                    (0.0878542603816, ["htb: >50%", "association htb, margin"]),
                ],
                "log_sd": [
                    (-0.441542741477, []), (0.0684511671817, ["level"]),
                    (-0.00179219372966, ["htb: 10-25%"]), (0.00425651913829, ["htb: 25-50%"]),
                    (0.00191805274372, ["htb: >50%"]), (-0.0195138119327, ["ki67: >10%"]),
                    (-0.025598967247, ["bone: yes"]), (-0.0105377119827, ["margin: clear"]),
                    (0.00257156891922, ["site: nonpancreas"]),
                    (-0.00402893363554, ["association htb, ki67"]),
                    (-0.00635831795504, ["association htb, bone"]),
                    (0.001371739466, ["association htb, margin"]),
                    (0.0104270680328, ["association htb, site"]),
                    (0.0046347752864, ["association ki67, bone"]),
                    (0.00132288038047, ["association ki67, margin"]),
                    (-0.00508986492481, ["association ki67, site"]),
                    (0.000256272420713, ["association bone, margin"]),
                    (-0.00708934386495, ["association bone, site"]),
                    (-0.010593458979, ["association margin, site"]),
                ],
                "added": 0.000224968486326,
            },
            {
                "what": "item 92, log se",
                "value": -0.495564319763,
                "mean": [
                    (-0.587729280778, []), (0.0509553763012, ["level"]),
                    (-0.00676585793702, ["htb: 10-25%"]), (-0.000614998069119, ["htb: 25-50%"]),
                    (0.00566583266239, ["htb: >50%"]), (-0.0159339343289, ["ki67: >10%"]),
                    (-0.021777581806, ["bone: yes"]), (0.0190522107691, ["margin: clear"]),
                    (0.00811976176529, ["site: nonpancreas"]),
                    (0.000108387553277, ["association htb, ki67"]),
                    (-6.35701894478e-05, ["association htb, bone"]),
                    (-0.000955915427051, ["association htb, margin"]),
                    (-0.000668759786705, ["association htb, site"]),
                    (0.00290804946578, ["association ki67, bone"]),
                    (-0.000906646448489, ["association ki67, margin"]),
                    (-0.00257309066051, ["association ki67, site"]),
                    (0.00639820702961, ["association bone, margin"]),
                    (-0.00384065875441, ["association bone, site"]),
                    (-0.00808225147006, ["association margin, site"]),
                    (0.00906473710829, ["level", "level"]),
                    (-0.0075806079777, ["htb: 10-25%", "htb: 10-25%"]),
                    (-0.00740497148, ["htb: 25-50%", "htb: 25-50%"]),
                    (-0.0070811411579, ["htb: >50%", "htb: >50%"]),
                    (0.00465982338083, ["ki67: >10%", "ki67: >10%"]),
                    (0.00687831939936, ["bone: yes", "bone: yes"]),
                    (-0.011428443239, ["margin: clear", "margin: clear"]),
                    (0.00594367670261, ["site: nonpancreas", "site: nonpancreas"]),
                    (0.00512889830621, ["association ki67, margin", "association ki67, margin"]),
                    (0.00620529058122, ["association bone, margin", "association bone, margin"]),
                    (0.00936000995564, ["association margin, site", "association margin, site"]),
                    (0.00227951131893, ["level", "bone: yes"]),
                    (-0.0143944922921, ["level", "margin: clear"]),
                    (-0.00628477767183, ["level", "site: nonpancreas"]),
                    (0.00379310774535, ["level", "association ki67, margin"]),
                    (0.00544676792822, ["level", "association bone, margin"]),
                    (-0.00264769471426, ["level", "association margin, site"]),
                    (0.00401191877871, ["htb: 10-25%", "htb: 25-50%"]),
                    (0.00513426238505, ["htb: 10-25%", "htb: >50%"]),
                    (0.00156318431977, ["htb: 10-25%", "margin: clear"]),
                    (0.00535504657006, ["htb: 25-50%", "htb: >50%"]),
                    (-0.00257830023611, ["htb: >50%", "association htb, ki67"]),
                    (-0.00300450776223, ["htb: >50%", "association htb, bone"]),
                    (0.00259586856789, ["htb: >50%", "association htb, margin"]),
                    (-0.00226636374583, ["ki67: >10%", "association ki67, bone"]),
                    (-0.00199030306107, ["ki67: >10%", "association ki67, margin"]),
                    (0.00206399108558, ["ki67: >10%", "association ki67, site"]),
                    (-0.00206941645958, ["bone: yes", "margin: clear"]),
                    (0.00224622965915, ["bone: yes", "site: nonpancreas"]),
                    (-0.00372127801868, ["bone: yes", "association bone, margin"]),
                    (0.00178400635391, ["bone: yes", "association bone, site"]),
                    (0.00445102371152, ["margin: clear", "site: nonpancreas"]),
                    (0.00211886398098, ["margin: clear", "association htb, margin"]),
                    (-0.0045373353496, ["margin: clear", "association bone, margin"]),
                    (0.0021526074254, ["margin: clear", "association margin, site"]),
                    (-0.00285869733851, ["site: nonpancreas", "association ki67, site"]),
                    (-0.00341242426327, ["site: nonpancreas", "association bone, site"]),
                    (-0.0110751517637, ["site: nonpancreas", "association margin, site"]),
                ],
                "log_sd": [
                    (-2.50302842879, []), (0.0942824765651, ["level"]),
                    (-0.0146336705268, ["htb: 10-25%"]), (-0.0110933941952, ["htb: 25-50%"]),
                    (0.0219826009369, ["htb: >50%"]), (-0.0469427866098, ["ki67: >10%"]),
                    (-0.0611709283236, ["bone: yes"]), (-0.0917613160847, ["margin: clear"]),
                    (0.0280997945877, ["site: nonpancreas"]),
                    (0.0100102215677, ["association htb, ki67"]),
                    (0.00451270562188, ["association htb, bone"]),
                    (0.00376365013154, ["association htb, margin"]),
                    (0.00894479034949, ["association htb, site"]),
                    (0.0170868838819, ["association ki67, bone"]),
                    (-0.000457858043615, ["association ki67, margin"]),
                    (0.00562992838607, ["association ki67, site"]),
                    (0.0109709554632, ["association bone, margin"]),
                    (-0.0109660460197, ["association bone, site"]),
                    (-0.0237159258939, ["association margin, site"]),
                ],
                "added": 8.37403098655e-05,
            },
        ],
        "correlation": [
            [1.0],
            [-0.00264841008712, 1.0],
            [0.00420629947333, 0.0100642213141, 1.0],
            [-0.00930049059597, -0.00307476218947, 0.00954726199178, 1.0],
            [-0.00529291011559, 0.00534614841726, 0.00317878080584, 0.423166833462, 1.0],
            [
                0.00399526518907, 0.00355371122769, 0.016356672959, 0.482463308774, 0.487941763686,
                1.0,
            ],
            [
                0.0164346233681, 0.051272924963, -0.0402501537981, 0.0100986003149,
                0.00186848207983, -0.00319407575254, 1.0,
            ],
            [
                -0.0018366125511, 0.0051221901291, 0.0142867412094, -0.0140667098506,
                -0.00765945839669, -0.0160607118362, 0.0363965873211, 1.0,
            ],
            [
                0.00861489221997, 0.851497414976, -0.00907204847975, -0.00154271186129,
                0.00282848683082, 0.0118834830944, 0.000253485843625, 0.000801219514918, 1.0,
            ],
            [
                0.497945761574, 0.475780776422, -0.184490179167, -0.0123172386208, -0.0079476279838,
                0.00278631241381, -0.201479518863, 0.175312334698, 0.636237701494, 1.0,
            ],
            [
                0.00413196937506, -0.0140848357387, 0.8701921242, 0.0113381729544, 0.00561785682366,
                0.0111872361799, 0.00461708455721, 0.00288405368532, -0.070312726128,
                -0.245028453496, 1.0,
            ],
            [
                0.310020142766, 0.162380121045, -0.291755529373, -0.0129425297623,
                -0.00363491973192, 0.00236707477721, -0.235337885902, 0.183985040303,
                0.204741990793, 0.511784889237, -0.492841432156, 1.0,
            ],
            [
                0.00722383792161, -0.00228862315481, 0.00298696369855, 0.014105603509,
                0.00430605847973, -0.00398557485798, 0.86056666845, 0.000771959913099,
                -0.0956106918289, -0.288500140304, 0.0937601500302, -0.287920598352, 1.0,
            ],
            [
                0.379302209527, 0.149440961547, -0.186529526559, -0.0205749187219,
                -0.00671729360639, 0.000848733339102, -0.453432038706, 0.189721603334,
                0.238167220992, 0.611351919616, -0.26005449506, 0.507863853248, -0.68199279562, 1.0,
            ],
            [
                -0.00825398347151, -0.00100220925694, 0.00988030038592, -0.00788218826876,
                -0.00834695407699, -0.0121588077278, -0.000284021975792, 0.866200064094,
                0.0263114521806, 0.202361749506, -0.0346878305147, 0.198858288157, -0.0828816245322,
                0.250350895855, 1.0,
            ],
            [
                0.424779463687, 0.1446870649, -0.214425931399, -0.00793972634104, -0.00471027511569,
                -0.00177534745542, -0.279020695578, 0.165195344196, 0.18608501999, 0.551132097826,
                -0.238280432811, 0.452269200872, -0.326220637297, 0.546821486064, 0.349520072966,
                1.0,
            ],
        ],
        "exists": [],
        "mixed_at": [
            0.277012037917, 0.088870355539, -0.0729689855792, -1.26285150113, -1.35214155732,
            1.16436521551, 0.881483545937,
        ],
        "points": [],
        "selected": [],
        "significant": [],
        "unprinted": [],
    },
    {
        "cohort": "sysu-rectal-2022-2024",
        "inputs": [
            "level",
            "ki67: >10%",
            "margin: clear",
            "association ki67, margin",
            "association ki67, fdg",
            "association margin, fdg",
            "tilt ki67",
            "tilt margin",
            "ratio of fdg",
            "share of fdg",
        ],
        "nuisances": {
            "association ki67, margin": (0.0, 1.0),
            "association ki67, fdg": (0.0, 1.0),
            "association margin, fdg": (0.0, 1.0),
            "ratio of fdg": (0.0, 1.0),
            "share of fdg": (0.0, 1.0),
        },
        "centre": [
            1.73214369203, -1.02630957972, 1.30623973308, -0.0449826000955, -0.0129732539002,
            0.214979255132, 0.705530632175, 1.23663452077, -1.22602210201, -0.248821430735,
        ],
        "scale": [
            0.474105955837, 0.88212079141, 0.938726365595, 1.4119657314, 1.40894059532,
            1.4095163872, 1.16177007442, 1.056841849, 1.02079395124, 1.31561708181,
        ],
        "numbers": [
            {
                "what": "item 2, logit",
                "value": 1.66700776426,
                "mean": [
                    (1.62064505666, []), (0.388371842858, ["level"]),
                    (0.114287592343, ["ki67: >10%"]), (0.00692547960948, ["margin: clear"]),
                    (0.00440825711741, ["association ki67, margin"]),
                    (3.34463843633e-05, ["association ki67, fdg"]),
                    (-0.000945373704737, ["association margin, fdg"]),
                    (-0.0925157255453, ["tilt ki67"]), (0.082373443061, ["tilt margin"]),
                    (0.00724908685507, ["ratio of fdg"]), (-0.00481618408344, ["share of fdg"]),
                    (-0.00761292118617, ["level", "level"]),
                    (-0.0275836269134, ["ki67: >10%", "ki67: >10%"]),
                    (-0.0161955669243, ["margin: clear", "margin: clear"]),
                    (-0.00834779978002, ["tilt ki67", "tilt ki67"]),
                    (-0.0150875539407, ["tilt margin", "tilt margin"]),
                    (0.0120374369031, ["level", "ki67: >10%"]),
                    (-0.0218090359014, ["level", "margin: clear"]),
                    (-0.00694525151456, ["ki67: >10%", "margin: clear"]),
                    (0.0847568223182, ["ki67: >10%", "tilt ki67"]),
                    (0.0746015358982, ["margin: clear", "tilt margin"]),
                ],
                "log_sd": [
                    (-1.32607674022, []), (0.111005683533, ["level"]),
                    (0.0667450774657, ["ki67: >10%"]), (-0.0250028668827, ["margin: clear"]),
                    (0.0043789637026, ["association ki67, margin"]),
                    (0.0166780203134, ["association ki67, fdg"]),
                    (-0.00329049676413, ["association margin, fdg"]),
                    (-0.0279480022077, ["tilt ki67"]), (0.0207269385422, ["tilt margin"]),
                    (0.00622513127325, ["ratio of fdg"]), (-0.00151048642295, ["share of fdg"]),
                ],
                "added": 0.000713574192036,
            },
            {
                "what": "item 5, log ratio",
                "value": 2.67364877438,
                "mean": [
                    (1.43299368939, []), (0.0782296338406, ["level"]),
                    (0.0238222552899, ["ki67: >10%"]), (0.907967610145, ["margin: clear"]),
                    (6.60262903096e-05, ["association ki67, margin"]),
                    (-0.0147873256254, ["association ki67, fdg"]),
                    (0.13027530355, ["association margin, fdg"]), (-0.0221152038637, ["tilt ki67"]),
                    (0.0621079987147, ["tilt margin"]), (-0.0213510543599, ["ratio of fdg"]),
                    (0.0187669619631, ["share of fdg"]),
                    (0.0300999086642, ["margin: clear", "margin: clear"]),
                    (0.0266566304575, ["tilt margin", "tilt margin"]),
                    (-0.0251616882844, ["share of fdg", "share of fdg"]),
                    (-0.0322125542097, ["level", "margin: clear"]),
                    (0.0434778481693, ["level", "tilt margin"]),
                    (-0.0830836455559, ["margin: clear", "tilt margin"]),
                    (0.0325644188747, ["margin: clear", "ratio of fdg"]),
                    (-0.107938995679, ["association margin, fdg", "ratio of fdg"]),
                ],
                "log_sd": [
                    (-0.0986791974483, []), (0.0469641200798, ["level"]),
                    (-0.0303532045379, ["ki67: >10%"]), (0.0343951531299, ["margin: clear"]),
                    (-0.0115060923246, ["association ki67, margin"]),
                    (-0.00395067989958, ["association ki67, fdg"]),
                    (-0.00180798633944, ["association margin, fdg"]),
                    (0.000195216460718, ["tilt ki67"]), (0.0777187405806, ["tilt margin"]),
                    (-0.0241386457975, ["ratio of fdg"]), (-0.0276371045401, ["share of fdg"]),
                ],
                "added": 0.0054449697829,
            },
            {
                "what": "item 5, log se",
                "value": 0.0372725797589,
                "mean": [
                    (-0.140198071934, []), (0.0723937539399, ["level"]),
                    (-0.0140560917388, ["ki67: >10%"]), (-0.0122014557703, ["margin: clear"]),
                    (0.00235965413315, ["association ki67, margin"]),
                    (0.000332297414006, ["association ki67, fdg"]),
                    (0.0072985650392, ["association margin, fdg"]),
                    (-0.00843383212115, ["tilt ki67"]), (0.153394621821, ["tilt margin"]),
                    (-0.032952220667, ["ratio of fdg"]), (-0.00400098531308, ["share of fdg"]),
                    (0.0116033581009, ["level", "level"]),
                    (0.00937023631821, ["ki67: >10%", "ki67: >10%"]),
                    (0.0268147549895, ["margin: clear", "margin: clear"]),
                    (0.00403819890608, ["association ki67, margin", "association ki67, margin"]),
                    (0.00686921463414, ["association margin, fdg", "association margin, fdg"]),
                    (0.0121590322269, ["tilt margin", "tilt margin"]),
                    (0.0134702450328, ["ratio of fdg", "ratio of fdg"]),
                    (-0.0123234771102, ["share of fdg", "share of fdg"]),
                    (-0.01664264927, ["level", "margin: clear"]),
                    (0.00728916767689, ["level", "association ki67, margin"]),
                    (-0.00981803185729, ["level", "tilt ki67"]),
                    (-0.0174453493546, ["level", "tilt margin"]),
                    (0.00638098545796, ["level", "ratio of fdg"]),
                    (-0.0064190505737, ["ki67: >10%", "association ki67, margin"]),
                    (-0.00446189276664, ["margin: clear", "association ki67, margin"]),
                    (0.00993597197407, ["margin: clear", "tilt ki67"]),
                    (0.00460958621963, ["margin: clear", "tilt margin"]),
                    (0.00439576031694, ["association ki67, margin", "tilt ki67"]),
                    (-0.00464264307703, ["association ki67, margin", "tilt margin"]),
                    (-0.00630946787853, ["association margin, fdg", "ratio of fdg"]),
                    (0.00795799934986, ["association margin, fdg", "share of fdg"]),
                    (0.0113777095243, ["ratio of fdg", "share of fdg"]),
                ],
                "log_sd": [
                    (-1.93412332851, []), (0.068524418634, ["level"]),
                    (-0.0192576946418, ["ki67: >10%"]), (0.0108749981075, ["margin: clear"]),
                    (-0.00525795656909, ["association ki67, margin"]),
                    (0.0127366038152, ["association ki67, fdg"]),
                    (0.0165527947738, ["association margin, fdg"]),
                    (-0.00767091903982, ["tilt ki67"]), (-0.0652110790006, ["tilt margin"]),
                    (-0.0412604292104, ["ratio of fdg"]), (-0.0202509666565, ["share of fdg"]),
                ],
                "added": 0.00263414839196,
            },
            {
                "what": "item 6, log ratio",
                "value": -2.4781337655,
                "mean": [
                    (-1.27069660836, []), (0.0353184844356, ["level"]),
                    (-0.000948263510353, ["ki67: >10%"]), (-0.0292868991715, ["margin: clear"]),
                    (0.00677161802144, ["association ki67, margin"]),
                    (0.0348840148219, ["association ki67, fdg"]),
                    (-0.0312617519263, ["association margin, fdg"]),
                    (-0.00588570313965, ["tilt ki67"]), (-0.0110838648134, ["tilt margin"]),
                    (0.883599925764, ["ratio of fdg"]), (0.423906171863, ["share of fdg"]),
                    (0.210025641623, ["share of fdg", "share of fdg"]),
                    (-0.0503730937763, ["level", "ratio of fdg"]),
                    (0.166916971251, ["level", "share of fdg"]),
                    (-0.0245827296658, ["ki67: >10%", "association ki67, fdg"]),
                    (-0.0895956152193, ["margin: clear", "share of fdg"]),
                    (-0.0348624038986, ["tilt ki67", "share of fdg"]),
                    (0.0426317860389, ["tilt margin", "share of fdg"]),
                    (-0.140701116237, ["ratio of fdg", "share of fdg"]),
                ],
                "log_sd": [
                    (-0.126516873158, []), (0.0594123642788, ["level"]),
                    (-0.0244237402627, ["ki67: >10%"]), (0.0370626261373, ["margin: clear"]),
                    (-0.014890436557, ["association ki67, margin"]),
                    (-0.00451085555575, ["association ki67, fdg"]),
                    (0.00286304301983, ["association margin, fdg"]),
                    (-0.00806659964523, ["tilt ki67"]), (0.000736299837801, ["tilt margin"]),
                    (-0.0014723533972, ["ratio of fdg"]), (-0.0115928748661, ["share of fdg"]),
                ],
                "added": 0.0524546478302,
            },
            {
                "what": "item 7, log ratio",
                "value": -1.86702153706,
                "mean": [
                    (-1.06319355866, []), (-0.0435381942731, ["level"]),
                    (0.914357007921, ["ki67: >10%"]), (-0.0107738546671, ["margin: clear"]),
                    (-0.0115170561798, ["association ki67, margin"]),
                    (0.161068193367, ["association ki67, fdg"]),
                    (0.00654584389272, ["association margin, fdg"]),
                    (0.0364842589134, ["tilt ki67"]), (4.87709714361e-05, ["tilt margin"]),
                    (0.00867008706703, ["ratio of fdg"]), (-0.0143637649511, ["share of fdg"]),
                    (-0.0186465827162, ["level", "level"]),
                    (-0.0249694208725, ["ki67: >10%", "ki67: >10%"]),
                    (-0.0209004116278, ["tilt ki67", "tilt ki67"]),
                    (-0.0355773467975, ["level", "ki67: >10%"]),
                    (0.0400435987162, ["level", "tilt ki67"]),
                    (0.0556148612476, ["ki67: >10%", "tilt ki67"]),
                    (-0.111174644532, ["association ki67, fdg", "ratio of fdg"]),
                ],
                "log_sd": [
                    (-0.18113762271, []), (0.0766098025854, ["level"]),
                    (0.0130297253672, ["ki67: >10%"]), (0.0368174088952, ["margin: clear"]),
                    (-0.0149104989652, ["association ki67, margin"]),
                    (-0.0101496440713, ["association ki67, fdg"]),
                    (0.00980928702016, ["association margin, fdg"]),
                    (-0.0901020263115, ["tilt ki67"]), (-0.00631953162389, ["tilt margin"]),
                    (-0.0420697908662, ["ratio of fdg"]), (-0.0048823399907, ["share of fdg"]),
                ],
                "added": 0.00163830592912,
            },
            {
                "what": "item 7, log se",
                "value": -0.236694952074,
                "mean": [
                    (-0.279995036956, []), (0.109657833869, ["level"]),
                    (0.0535541534547, ["ki67: >10%"]), (0.0421020024666, ["margin: clear"]),
                    (0.000522099888814, ["association ki67, margin"]),
                    (-0.00618443394063, ["association ki67, fdg"]),
                    (-0.00048059953978, ["association margin, fdg"]),
                    (-0.123559661684, ["tilt ki67"]), (0.0102888968799, ["tilt margin"]),
                    (-0.0323903760007, ["ratio of fdg"]), (-0.00835599747629, ["share of fdg"]),
                    (0.0112104683889, ["level", "level"]),
                    (0.030746575392, ["ki67: >10%", "ki67: >10%"]),
                    (0.00811750141321, ["margin: clear", "margin: clear"]),
                    (0.00427724734551, ["association ki67, margin", "association ki67, margin"]),
                    (0.0080060379661, ["association ki67, fdg", "association ki67, fdg"]),
                    (0.0233375490514, ["tilt ki67", "tilt ki67"]),
                    (0.0127535243412, ["ratio of fdg", "ratio of fdg"]),
                    (-0.0120147268863, ["share of fdg", "share of fdg"]),
                    (0.0168767863768, ["level", "ki67: >10%"]),
                    (0.0179154350513, ["level", "tilt ki67"]),
                    (0.01012184071, ["level", "tilt margin"]),
                    (0.00510806194777, ["level", "ratio of fdg"]),
                    (-0.00543627209584, ["ki67: >10%", "tilt ki67"]),
                    (0.0106519713641, ["ki67: >10%", "tilt margin"]),
                    (0.00393635396266, ["margin: clear", "association ki67, margin"]),
                    (0.00725001867438, ["margin: clear", "tilt margin"]),
                    (-0.00631378254226, ["association ki67, margin", "tilt margin"]),
                    (0.00663547363269, ["association ki67, fdg", "ratio of fdg"]),
                    (-0.00739929865642, ["association ki67, fdg", "share of fdg"]),
                    (0.014545810325, ["ratio of fdg", "share of fdg"]),
                ],
                "log_sd": [
                    (-1.85640367622, []), (0.11928494867, ["level"]),
                    (0.0413322722845, ["ki67: >10%"]), (0.0503741514811, ["margin: clear"]),
                    (0.0053412212948, ["association ki67, margin"]),
                    (-0.0176935774081, ["association ki67, fdg"]),
                    (-0.00329315230448, ["association margin, fdg"]),
                    (0.0111354869253, ["tilt ki67"]), (0.0173494896695, ["tilt margin"]),
                    (-0.0419318679, ["ratio of fdg"]), (-0.0119415560573, ["share of fdg"]),
                ],
                "added": 0.000739902381824,
            },
        ],
        "correlation": [
            [1.0],
            [0.0436277255964, 1.0],
            [0.312136058062, 0.0567710748324, 1.0],
            [0.0474052047858, -0.0714575989018, -0.171960045968, 1.0],
            [-0.0196320899135, -0.0764722646959, -0.221254207478, 0.0234475675041, 1.0],
            [
                0.459963303065, 0.286458317608, 0.459384278194, -0.161154478193, 0.00169057817751,
                1.0,
            ],
        ],
        "exists": [
            (1.88954455612, []), (-0.507208193446, ["level"]), (-0.246381200298, ["ki67: >10%"]),
            (0.124593450242, ["margin: clear"]), (-0.0705190117862, ["association ki67, margin"]),
            (-0.0291115583445, ["association ki67, fdg"]),
            (0.0299830361877, ["association margin, fdg"]), (0.207268493313, ["tilt ki67"]),
            (-0.343905785732, ["tilt margin"]), (0.253068110483, ["ratio of fdg"]),
            (-0.0385326128086, ["share of fdg"]), (-0.0823922511178, ["level", "level"]),
            (-0.0747124856191, ["ki67: >10%", "ki67: >10%"]),
            (-0.127277618089, ["margin: clear", "margin: clear"]),
            (0.00835676594236, ["association ki67, margin", "association ki67, margin"]),
            (0.0127167974567, ["association ki67, fdg", "association ki67, fdg"]),
            (0.00748223163493, ["association margin, fdg", "association margin, fdg"]),
            (-0.0650801802789, ["tilt ki67", "tilt ki67"]),
            (-0.0539667313952, ["tilt margin", "tilt margin"]),
            (-0.151883163801, ["ratio of fdg", "ratio of fdg"]),
            (-0.801751859113, ["share of fdg", "share of fdg"]),
            (-0.106728467977, ["level", "ki67: >10%"]),
            (0.149590893844, ["level", "margin: clear"]),
            (-0.0216546923949, ["level", "association ki67, margin"]),
            (0.0517474939436, ["level", "tilt ki67"]),
            (0.000903748838672, ["level", "tilt margin"]),
            (-0.0184076530848, ["level", "ratio of fdg"]),
            (-0.0928822183943, ["level", "share of fdg"]),
            (0.051344282638, ["ki67: >10%", "margin: clear"]),
            (0.0010399607278, ["ki67: >10%", "association ki67, margin"]),
            (0.0168100620245, ["ki67: >10%", "association ki67, fdg"]),
            (0.049928483866, ["ki67: >10%", "tilt ki67"]),
            (-0.00370414969572, ["ki67: >10%", "tilt margin"]),
            (0.0212065864541, ["margin: clear", "association ki67, margin"]),
            (-0.0591697887438, ["margin: clear", "tilt ki67"]),
            (-0.000762455703059, ["margin: clear", "tilt margin"]),
            (-0.000373634064375, ["margin: clear", "ratio of fdg"]),
            (0.00981922165053, ["margin: clear", "share of fdg"]),
            (0.0055001377235, ["association ki67, margin", "tilt ki67"]),
            (0.00181975429486, ["association ki67, margin", "tilt margin"]),
            (0.0563358467962, ["association ki67, fdg", "ratio of fdg"]),
            (-0.0924189915087, ["association ki67, fdg", "share of fdg"]),
            (-0.0353600160889, ["association margin, fdg", "ratio of fdg"]),
            (0.0852135385543, ["association margin, fdg", "share of fdg"]),
            (0.0313370901537, ["tilt ki67", "share of fdg"]),
            (-0.0466044002562, ["tilt margin", "share of fdg"]),
            (0.523959529023, ["ratio of fdg", "share of fdg"]),
        ],
        "mixed_at": [0.0, 0.0, 0.0, -1.15043213472, 0.0, 1.28702055471, 0.0],
        "points": [],
        "selected": [(1, 2, 1.95996398454), (3, -1, 1.95996398454), (4, 5, 1.95996398454)],
        "significant": [],
        "unprinted": [],
    },
]
# fmt: on
SAMPLING: dict[str, float] = {
    "draws": 10000,
    "tune": 1000,
    "chains": 4,
    "target_accept": 0.95,
    "random_seed": 1,
}
LEVEL: float = 0.95  # of the intervals
# --- end of data ---

PATTERNS = [dict(zip(LEVELS, row, strict=True)) for row in itertools.product(*LEVELS.values())]
EFFECTS = [(name, level) for name in LEVELS for level in LEVELS[name] if level != REFERENCE[name]]
DESIGN = np.array([[float(row[name] == level) for name, level in EFFECTS] for row in PATTERNS])
PARAMETERS = [*OWN, *(f"{name}: {level}" for name, level in EFFECTS)]
# One tau for each of the cohort's own parameters, and one a covariate, shared by its levels.
TAUS = [*OWN, *LEVELS]
TAU_OF = [TAUS.index(name) for name in [*OWN, *(name for name, _ in EFFECTS)]]
# From independent coordinates to parameters: effects of levels of one covariate are differences
# from a common reference, so that two of them are correlated by 1/2; the first coordinate is the
# level of the average patient, the first parameter that of the reference profile.
OWNER = np.array([name for name, _ in EFFECTS], dtype=str)
FACTOR = np.linalg.cholesky((np.eye(len(EFFECTS)) + (OWNER[:, None] == OWNER)) / 2)
MEAN = np.array([CENTRE[name][level] for name, level in EFFECTS])
MIX = np.eye(len(PARAMETERS))
MIX[len(OWN) :, len(OWN) :] = FACTOR
MIX[0, len(OWN) :] = -MEAN @ FACTOR
EDGES = np.array([0.0, *CUTS, np.inf])
NUISANCES = {
    f"{page['cohort']}: {name}": prior
    for page in PAGES
    for name, prior in page["nuisances"].items()
}
UNPRINTED = [(page["cohort"], place) for page in PAGES for place, *_ in page["unprinted"]]
COORDS = {
    "cohort": COHORTS,
    "parameter": PARAMETERS,
    "heterogeneity": TAUS,
    "borrowing": list(TILTS),
    "covariate": list(LEVELS),
    "part": list(PARTS),
    "later_interval": list(range(1, len(EDGES) - 1)),
    "page_nuisance": list(NUISANCES),
    "not_printed": list(range(len(UNPRINTED))),
}


def prior(names: list[str]) -> Array:
    """Means and standard deviations."""
    return np.array([PRIORS[name][:2] for name in names]).T


def add_cohorts() -> None:
    """Cohort c's coordinate j is y_j + tau_j z_cj; the next institution's is N(y_j, tau_j)."""
    mean, sd = prior([*OWN, *["effect"] * len(EFFECTS)])
    mean[len(OWN) :] = np.linalg.solve(FACTOR, mean[len(OWN) :])
    dims = ("cohort", "parameter")
    if POOLING == "none":
        alone = pm.Normal("coordinate", mean, sd, dims=dims)
        pm.Deterministic("theta", pt.dot(alone, MIX.T), dims=dims)
        return
    centre = pm.Normal("centre", mean, sd, dims="parameter")
    pm.Deterministic("mu", pt.dot(MIX, centre), dims="parameter")
    apart = np.zeros((len(COHORTS), 1))
    if POOLING == "partial":
        own = [f"heterogeneity_{name}" for name in OWN]
        _, scale = prior([*own, *["heterogeneity_effect"] * len(LEVELS)])
        tau = pm.HalfNormal("tau", scale, dims="heterogeneity")
        apart = tau[TAU_OF] * pm.Normal("z", 0, 1, dims=dims)
    pm.Deterministic("theta", pt.dot(centre + apart, MIX.T), dims=dims)


def add_other_parameters() -> None:
    """Borrowed margins, shares and steps of the hazard, what only pages depend on."""
    if TILTS:
        pm.Normal("margin_tilt", 0, 1, dims=("borrowing", "covariate"))
    if PARTS:
        pm.Beta("hazard_share", *np.array(list(PARTS.values())).T, dims="part")
    if BASELINE == "piecewise":
        sd = pm.HalfNormal("hazard_step_sd", PRIORS["hazard_step"][1])
        step = pm.Normal("hazard_step", 0, 1, dims="later_interval")
        risen = pt.concatenate([pt.zeros(1), pt.cumsum(sd * step)])
        pm.Deterministic("log_hazard_step", risen)
    if NUISANCES:
        pm.Normal("nuisance", *np.array(list(NUISANCES.values())).T, dims="page_nuisance")
    if UNPRINTED:
        pm.Uniform("unprinted", 0, 1, dims="not_printed")


def members(subgroup: Subgroup) -> Array:
    """1 for every combination of levels that belongs to a subgroup, else 0."""
    inside = [all(row[name] in levels for name, levels in subgroup.items()) for row in PATTERNS]
    return np.array(inside, dtype=float)


def shares(cohort: str) -> Array:
    """Share of every combination of levels."""
    return np.prod(np.array(list(itertools.product(*SHARES[cohort]))), axis=1)


def tilt(model: pm.Model, cohort: str, groups: list[dict[str, str]]) -> pt.TensorVariable:
    """How far the log shares of groups are from those borrowed."""
    moved = pt.zeros(len(groups))
    for name, steps in TILTS.get(cohort, {}).items():
        by_level = dict(zip(LEVELS[name], steps, strict=True))
        step = np.array([by_level[row[name]] if name in row else 0.0 for row in groups])
        place = list(TILTS).index(cohort), list(LEVELS).index(name)
        moved = moved + step * model["margin_tilt"][place]
    return moved


def log_shares(model: pm.Model, cohort: str, subgroup: Subgroup) -> pt.TensorVariable:
    """Log shares of the combinations inside a subgroup, up to a constant."""
    inside = np.maximum(shares(cohort) * members(subgroup), 1e-300)
    return np.log(inside) + tilt(model, cohort, PATTERNS)


def linear_predictor(model: pm.Model, cohort: str) -> pt.TensorVariable:
    """Level plus coefficients, of every combination of levels."""
    theta = model["theta"][COHORTS.index(cohort)]
    return theta[0] + pt.dot(DESIGN, theta[len(OWN) :])


def log_response(model: pm.Model, cohort: str, subgroup: Subgroup, sign: int) -> pt.TensorVariable:
    """Log of a mixed population's mean probability of response (sign 1), or of none (-1)."""
    share = log_shares(model, cohort, subgroup)
    each = -pt.softplus(-sign * linear_predictor(model, cohort))
    return pt.logsumexp(share + each) - pt.logsumexp(share)


def page_inputs(model: pm.Model, page: Page) -> dict[str, pt.TensorVariable]:
    """Inputs of one page, by name."""
    cohort = page["cohort"]
    theta = model["theta"][COHORTS.index(cohort)]
    known = {name: theta[place] for place, name in enumerate(PARAMETERS)}
    known["level"] = theta[0] + pt.dot(shares(cohort) @ DESIGN, theta[len(OWN) :])
    for step in range(1, len(CUTS) + 1):
        known[f"step {step}"] = model["log_hazard_step"][step]
    for place, part in enumerate(PARTS):
        share = model["hazard_share"][place]
        known[f"part {part}"] = pt.log(share) - pt.log1p(-share)
    if cohort in TILTS:
        for place, name in enumerate(LEVELS):
            known[f"tilt {name}"] = model["margin_tilt"][list(TILTS).index(cohort), place]
    for name in page["nuisances"]:
        known[name] = model["nuisance"][list(NUISANCES).index(f"{cohort}: {name}")]
    return {name: known[name] for name in page["inputs"]}


def standardised(page: Page, inputs: dict[str, pt.TensorVariable]) -> pt.TensorVariable:
    """One, then the inputs in standard deviations from their centre."""
    apart = pt.stack(list(inputs.values())) - np.array(page["centre"])
    return pt.concatenate([np.ones(1), apart / np.array(page["scale"])])


def evaluated(several: list[Polynomial], page: Page, d: pt.TensorVariable) -> pt.TensorVariable:
    """Several polynomials in the standardised inputs of a page."""
    terms = list(dict.fromkeys([(), *(tuple(names) for one in several for _, names in one)]))
    coefficients = np.zeros((len(terms), len(several)))
    for column, one in enumerate(several):
        for coefficient, names in one:
            coefficients[terms.index(tuple(names)), column] = coefficient
    places = [[1 + page["inputs"].index(name) for name in names] for names in terms]
    left, right = np.array([[*[0] * (2 - len(pair)), *pair] for pair in places]).T
    return pt.dot(d[left] * d[right], coefficients)


def log_probability(log_odds: Polynomial, page: Page, d: pt.TensorVariable) -> pt.TensorVariable:
    """Log probability of an event by its log odds; of a sure one, with none, 0."""
    return -pt.softplus(-evaluated([log_odds], page, d)[0]) if log_odds else pt.zeros(())


def log_time(
    inputs: dict[str, pt.TensorVariable], month: float
) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Log baseline cumulative hazard at a month less its level, and the log of its log slope."""
    if BASELINE == "weibull":  # log H(t | x) = a + kappa log(t / ANCHOR) + x' beta
        return pt.exp(inputs["log_shape"]) * np.log(month / ANCHOR), inputs["log_shape"]
    # log h(t | x) = g + r_j + x' beta in interval j
    steps = pt.stack([pt.zeros(()), *(inputs[f"step {j}"] for j in range(1, len(CUTS) + 1))])
    spent = np.maximum(np.minimum(month, EDGES[1:]) - EDGES[:-1], 0)
    hazard = pt.log(pt.dot(spent, pt.exp(steps)))
    return hazard, steps[np.flatnonzero(spent)[-1]] + np.log(month) - hazard


def log_hazard(
    page: Page,
    inputs: dict[str, pt.TensorVariable],
    endpoint: str,
    subgroup: Subgroup,
    month: float,
) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Log cumulative hazard of a mixed population, log(-log S), and the log of its log slope."""
    everyone = shares(page["cohort"])
    inside = everyone * members(subgroup)
    inside = inside / inside.sum() if inside.any() else members(subgroup) / members(subgroup).sum()
    mean, apart = inside @ DESIGN, DESIGN @ np.array(page["mixed_at"])
    level = inputs["level"]
    for effect, away in zip(PARAMETERS[len(OWN) :], mean - everyone @ DESIGN, strict=True):
        if effect in inputs:
            level = level + away * inputs[effect]
    if endpoint in PARTS:
        level = level - pt.softplus(-inputs[f"part {endpoint}"])
    time, pace = log_time(inputs, month)
    each = level + time + apart - inside @ apart
    log_weight = np.log(np.maximum(inside, 1e-300)) - pt.exp(each)
    log_survival = pt.logsumexp(log_weight)
    found = pt.log(pt.maximum(-log_survival, 1e-15))
    return found, pt.logsumexp(log_weight + each) - log_survival - found + pace


def log_selected(
    page: Page, mean: pt.TensorVariable, log_sd: pt.TensorVariable
) -> pt.TensorVariable:
    """Log probability that the ratios printed for their significance are significant."""
    total = pt.zeros(())
    for place, se, least in page["selected"]:
        log_se = mean[se] if se >= 0 else log_sd[place]
        z, normal = pt.abs(mean[place]) * pt.exp(-log_se), pm.Normal.dist(0, 1)
        either_side = (pm.logcdf(normal, side * z - least) for side in (1, -1))
        total = total + pt.logaddexp(*either_side)
    return total


def printed_numbers(
    model: pm.Model,
    page: Page,
    inputs: dict[str, pt.TensorVariable],
    log_sd: pt.TensorVariable,
) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Observed numbers as the page's normal takes them, and the log of their Jacobian."""
    printed = [pt.as_tensor(number["value"]) for number in page["numbers"]]
    log_jacobian = pt.zeros(())
    for place, low, high, reach in page["unprinted"]:
        further = reach * pt.exp(log_sd[place])
        width = high - low + 2 * further
        share = model["unprinted"][UNPRINTED.index((page["cohort"], place))]
        printed[place] = low - further + width * share
        log_jacobian = log_jacobian + pt.log(width)
    for place, endpoint, subgroup, month, median in page["points"]:
        found, log_slope = log_hazard(page, inputs, endpoint, subgroup, month)
        printed[place] = found - printed[place]
        if median:  # what is printed is the month
            log_jacobian = log_jacobian + log_slope
    return pt.stack(printed), log_jacobian


def correlation_of(page: Page) -> Array:
    """Correlation of a page's numbers."""
    rows, size = page["correlation"], len(page["numbers"])
    lower = np.array([[*row, *[0.0] * (size - len(row))] for row in rows])
    return lower + np.tril(lower, -1).T


def log_page(model: pm.Model, page: Page) -> pt.TensorVariable:
    """Log likelihood of all that one cohort prints, up to a constant."""
    inputs, numbers = page_inputs(model, page), page["numbers"]
    d = standardised(page, inputs)
    mean = evaluated([number["mean"] for number in numbers], page, d)
    simulated = evaluated([number["log_sd"] for number in numbers], page, d)
    added = np.array([number["added"] for number in numbers])
    log_sd = pt.log(pt.exp(2 * simulated) + added) / 2
    printed, log_jacobian = printed_numbers(model, page, inputs, log_sd)
    whitener = np.linalg.inv(np.linalg.cholesky(correlation_of(page)))
    white = pt.dot(whitener, (printed - mean) * pt.exp(-log_sd))
    total = log_jacobian - pt.sum(white**2) / 2 - pt.sum(log_sd)
    total = total + log_probability(page["exists"], page, d)
    total = total - log_probability(page["significant"], page, d)
    return total - log_selected(page, mean, log_sd)


def add_likelihood(model: pm.Model) -> None:
    """Everything printed, cohort by cohort."""
    for page in PAGES:
        pm.Potential(f"page of {page['cohort']}", log_page(model, page))
    for place, (cohort, subgroup, responders, total) in enumerate(COUNTS):
        yes, no = (log_response(model, cohort, subgroup, sign) for sign in (1, -1))
        pm.Potential(f"counts {place}", responders * yes + (total - responders) * no)


def build() -> pm.Model:
    """Make every parameter once, and a term for each source."""
    with pm.Model(coords=COORDS) as model:
        add_cohorts()
        add_other_parameters()
        add_likelihood(model)
    return model


def main() -> None:
    """Draw from the posterior and print the ratios of every cohort and the pool."""
    with build():
        posterior = pm.sample(**SAMPLING)["posterior"]
    found = {cohort: posterior["theta"].sel(cohort=cohort) for cohort in COHORTS}
    found |= {"pooled": posterior["mu"]} if POOLING != "none" else {}
    for cohort, values in found.items():
        for name, level in EFFECTS:
            ratio = np.exp(values.sel(parameter=f"{name}: {level}").to_numpy().ravel())
            low, middle, high = np.quantile(ratio, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
            what = f"{name}: {level} vs {REFERENCE[name]}"
            print(f"{cohort:<24} {what:<36} {middle:6.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
