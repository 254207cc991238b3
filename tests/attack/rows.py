"""All attacks, in the order of the table."""

import on_connections  # noqa: F401
import on_frames  # noqa: F401
import on_requests  # noqa: F401
import on_tls  # noqa: F401
import on_credentials  # noqa: F401
import on_notify  # noqa: F401
import on_cse  # noqa: F401
from attack import all_attacks  # noqa: F401
