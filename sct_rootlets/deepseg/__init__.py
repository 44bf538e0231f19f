"""The tasks of ``sct_rootlets deepseg``: what ``sct_deepseg`` does, with our store and engines."""

from sct_rootlets.deepseg.flow import Made, run
from sct_rootlets.deepseg.request import QualityControl, Request
from sct_rootlets.deepseg.tasks import TASKS, Task, describe_tasks, install_task

__all__ = [
    "TASKS",
    "Made",
    "QualityControl",
    "Request",
    "Task",
    "describe_tasks",
    "install_task",
    "run",
]
