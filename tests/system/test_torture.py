"""A few of the scenarios of tests/torture, with a few of their allocations:
whether all that is still fits together. `make torture` is the real one."""

import os
import sys

from harness import HERE, Case, needs_program, within

sys.path.append(os.path.join(HERE, "..", "torture"))


class Torture(Case):
    @within(30)
    def test_sample(self):
        needs_program(self, "addr2line")
        # not before the runner has named the build
        import scenarios_gateway    # noqa: F401
        import scenarios_reverse    # noqa: F401
        import scenarios_store      # noqa: F401
        from torture import Torture as Sample
        for name in ("handshake", "create", "register-ae", "takeover",
                     "delivery", "store-create"):
            with self.subTest(name):
                report = Sample(name, budget=1, seed=1, limit=10).run()
                self.assertEqual(report["problems"], [])
                self.assertGreater(report["visited"], 4 if name != "takeover"
                                   else 2)
