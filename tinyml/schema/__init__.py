"""Every type that crosses a stage or a language boundary.

Frozen, unknown keys refused, snake_case JSON. Units stand in the names (`_ns`, `_bytes`, `_s`); raw measurements are
integers. It imports neither torch nor coremltools. `SCHEMA_VERSION` stands in every file: a minor version adds optional
fields, a major one comes with an upgrade function in `tinyml.upgrades` and a kept fixture.
"""

from __future__ import annotations

from .artifact import IMAGE as IMAGE
from .artifact import LABEL as LABEL
from .artifact import PROBABILITIES as PROBABILITIES
from .artifact import Artifact as Artifact
from .artifact import Golden as Golden
from .artifact import Tensor as Tensor
from .base import PATTERNS as PATTERNS
from .base import RGB as RGB
from .base import SCHEMA_VERSION as SCHEMA_VERSION
from .base import Count as Count
from .base import Fraction as Fraction
from .base import Name as Name
from .base import PositiveInt as PositiveInt
from .base import Provenance as Provenance
from .base import Record as Record
from .base import Sha256 as Sha256
from .base import Timestamp as Timestamp
from .bench import KNOWN_BACKENDS as KNOWN_BACKENDS
from .bench import UNITS_OF_FORMAT as UNITS_OF_FORMAT
from .bench import BenchCase as BenchCase
from .bench import BenchResult as BenchResult
from .bench import BenchRun as BenchRun
from .bench import Format as Format
from .bench import PlacedOp as PlacedOp
from .bench import Placement as Placement
from .bench import Round as Round
from .bench import Series as Series
from .bench import Status as Status
from .bench import Units as Units
from .catalog import AppCatalog as AppCatalog
from .catalog import CatalogEntry as CatalogEntry
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import ModelSpec as ModelSpec
from .compression import ActivationQuantization as ActivationQuantization
from .compression import Compression as Compression
from .compression import LinearQuantization as LinearQuantization
from .compression import LinearSettings as LinearSettings
from .compression import PaletteSettings as PaletteSettings
from .compression import Palettization as Palettization
from .compression import PruneSettings as PruneSettings
from .compression import Pruning as Pruning
from .compression import Rounding as Rounding
from .compression import SparsityPattern as SparsityPattern
from .dataset import SPLITS as SPLITS
from .dataset import DatasetIdentity as DatasetIdentity
from .dataset import DatasetIndex as DatasetIndex
from .dataset import LeftOut as LeftOut
from .dataset import SplitIdentity as SplitIdentity
from .dataset import SplitInfo as SplitInfo
from .dataset import SplitName as SplitName
from .environment import Environment as Environment
from .evaluation import ENSEMBLE as ENSEMBLE
from .evaluation import FLIP as FLIP
from .evaluation import EvaluatedModel as EvaluatedModel
from .evaluation import Evaluations as Evaluations
from .explanation import AttackedAccuracy as AttackedAccuracy
from .explanation import Calibration as Calibration
from .explanation import ClassAccuracy as ClassAccuracy
from .explanation import ConfidenceBin as ConfidenceBin
from .explanation import ConfusedPair as ConfusedPair
from .explanation import CorruptedAccuracy as CorruptedAccuracy
from .explanation import Explanation as Explanation
from .explanation import Robustness as Robustness
from .metrics import Metrics as Metrics
from .plan import LayerLoss as LayerLoss
from .plan import Plan as Plan
from .plan import PlanGoal as PlanGoal
from .plan import PlannedLayer as PlannedLayer
from .plan import PlanOption as PlanOption
from .plan import PlanTrial as PlanTrial
from .preprocess import Preprocess as Preprocess
from .proof import ProvenWeight as ProvenWeight
from .proof import WeightProof as WeightProof
from .sweep import Sweep as Sweep
from .sweep import SweepTrial as SweepTrial
from .training import Budget as Budget
from .training import EpochRecord as EpochRecord
from .training import History as History
from .training import LrPoint as LrPoint
from .training import LrRange as LrRange
from .training import MemoryPeak as MemoryPeak
from .training import Origin as Origin
from .training import TrainConfig as TrainConfig
from .variant import Floor as Floor
from .variant import Variant as Variant
from .verification import Verification as Verification
