"""What an export came to: what was written, what was not and why, and how long each took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ArtifactError, TinyMLError, VerificationError


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What became of the variants asked for."""

    manifests: tuple[Path, ...]
    """Of the artifacts that were written, in order."""
    failures: Mapping[str, TinyMLError]
    """By variant, why it was not written: it missed its floor, its weights are not what they should be, or another."""
    seconds: Mapping[Path, float]
    """By manifest, what making and verifying it took; of those that were there already nothing."""

    def beside(self, other: Exported) -> Exported:
        """Both."""
        return Exported(
            manifests=self.manifests + other.manifests,
            failures={**self.failures, **other.failures},
            seconds={**self.seconds, **other.seconds},
        )

    def check(self) -> None:
        """Raises the error of the only variant that was asked for, or one ArtifactError for all that failed.

        VerificationError where each of them only missed its floor.
        """
        if not self.failures:
            return
        errors = self.failures.values()
        if all(isinstance(error, VerificationError) for error in errors):
            raise VerificationError(
                "; ".join(map(str, errors)), hint="train the model further, or choose another variant"
            )
        if len(errors) == 1 and not self.manifests:
            raise next(iter(errors))
        raise ArtifactError("; ".join(f"{name} is not written: {error}" for name, error in self.failures.items()))
