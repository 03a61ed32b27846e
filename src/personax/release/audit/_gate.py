"""What a publisher will not exceed: a release that does is not built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from personax.errors import InputError
from personax.release.audit._attack import Attack
from personax.strict import Count, Share, Strict

__all__ = ["Gate"]


class Gate(Strict):
    """Limits that a release must keep, or nothing is released; None asks nothing.

    Parameters
    ----------
    max_rank_1
        Share of people found without key and without leaked pairs, by the strongest attack of any campaign; or campaign
        -> share, for those that are named only (see `personax.release.audit.CAMPAIGNS`).
    min_pairs
        Known pairs with which half of the others are found must be at least so many.
    max_attribute_gain
        Accuracy of an inferred attribute above that of guessing.
    max_d_sys
        Linkability of two releases under different keys.
    max_singling_out, max_linkability
        Risks of the table.
    min_k
        People alike in all columns that k-anonymity is counted over.
    """

    max_rank_1: Share | Mapping[str, Share] | None = None
    min_pairs: Count | None = None
    max_attribute_gain: Share | None = None
    max_d_sys: Share | None = None
    max_singling_out: Share | None = None
    max_linkability: Share | None = None
    min_k: Count | None = None

    @property
    def limits_attacks(self) -> bool:
        """Say whether a limit is on attacks."""
        return any(getattr(self, name) is not None for name in type(self).model_fields if name != "min_k")

    def check_k(self, k: int | None) -> None:
        """Refuse a table whose smallest group of people alike is too small; None where nothing could be counted.

        Raises
        ------
        InputError
            Names the number and the limit.
        """
        if self.min_k is not None and k is not None and k < self.min_k:
            text = f"the release stops: the smallest group of people alike has {k}"
            text += f", and release.gate.min_k is {self.min_k}"
            raise InputError(f"{text}; ask for release.anonymity with this k, or release fewer columns")

    def check(self, where: str, attacks: Iterable[Attack], *, campaign: str = "") -> None:
        """Refuse a release that an attack of a campaign breaks more than is allowed.

        Raises
        ------
        InputError
            Names the measurement, the attack, its number and the limit.
        """
        for attack in attacks:
            if attack.value is not None:
                for setting, number, limit, broken in self._limits(attack, attack.value, campaign):
                    if broken:
                        text = f"the release stops: {attack.name} ({attack.knows}) on {where} reaches {number:g}, and"
                        raise InputError(
                            f"{text} release.gate.{setting} is {limit:g}; choose another transform or less"
                        )

    def _rank_1(self, attack: Attack, campaign: str) -> float | None:
        """Return the limit on the people that an attack finds; leaked pairs have their own unless they are named."""
        if attack.measure != "rank-1":
            return None
        if isinstance(self.max_rank_1, Mapping):
            return self.max_rank_1.get(campaign)
        return None if "pairs" in attack.knows else self.max_rank_1

    def _limits(self, attack: Attack, value: float, campaign: str) -> Iterable[tuple[str, float, float, bool]]:
        if (most := self._rank_1(attack, campaign)) is not None:
            yield "max_rank_1", value, most, value > most
        if attack.detail.get("broken_at") is not None and self.min_pairs is not None:
            pairs = attack.detail["broken_at"]
            yield "min_pairs", pairs, self.min_pairs, pairs < self.min_pairs
        if "gain" in attack.detail and self.max_attribute_gain is not None:
            gain = attack.detail["gain"]
            yield "max_attribute_gain", gain, self.max_attribute_gain, gain > self.max_attribute_gain
        for start, measure, setting in (("", "D_sys", "max_d_sys"), ("singling", "risk", "max_singling_out"),
                                        ("linkability", "risk", "max_linkability")):  # fmt: skip
            limit = getattr(self, setting)
            if limit is not None and attack.measure == measure and attack.name.startswith(start):
                yield setting, value, limit, value > limit
