"""All attacks, in the order of the table."""

import on_connections  # noqa: F401
import on_frames  # noqa: F401
import on_requests  # noqa: F401
from attack import all_attacks  # noqa: F401
