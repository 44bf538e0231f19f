"""Several raters of one image: how far they agree, and what they agree on."""

from sct_rootlets.consensus.files import ConsensusResult, consensus
from sct_rootlets.consensus.raters import Consensus, RaterRow, combine

__all__ = ["Consensus", "ConsensusResult", "RaterRow", "combine", "consensus"]
