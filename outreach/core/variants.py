"""Which of a step's variants a founder gets: by a hash, so that neither the order of sending nor a restart changes it.

Every variant draws a number for the founder and the highest wins (rendezvous hashing): the split is even, a founder
keeps the same letter in all steps of a campaign, and a new variant takes people only for itself.
"""

from hashlib import sha256

from outreach.core.records import Step


def variant_for(step: Step, campaign_id: int, founder_id: int) -> Step:
    """The step itself, or the one of its variants that this founder gets."""
    if not step.variants:
        return step
    return max(step.variants, key=lambda variant: _draw(campaign_id, founder_id, variant.variant))


def every_variant(step: Step) -> tuple[Step, ...]:
    """The files behind one number."""
    return step.variants or (step,)


def _draw(campaign_id: int, founder_id: int, letter: str) -> bytes:
    return sha256(f"{campaign_id}/{founder_id}/{letter}".encode()).digest()
