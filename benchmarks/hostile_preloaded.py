"""Imports nnU-Net where the processes of ``hostile_models`` are forked from."""

from sct_rootlets.engines.networks.runtime import import_nnunet

import_nnunet()
