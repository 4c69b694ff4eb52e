"""Show what would change in the development environments of a folder, apply that very plan, and tell how it went."""

import reconciler


class Told(reconciler.Observer):
    """Prints what happens to each target, whole lines, since several threads tell of it."""

    def __call__(self, name: str, message: str) -> None:
        print(f"{name}: {message}\n", end="")


development = reconciler.Selection(labels=(("tier", "dev"),))
fleet = reconciler.load("apps", emulator=True, selection=development)
plan = reconciler.plan(fleet)
for target in plan.planned:
    for change in target.changes:
        print(target.name, ".".join(change.path), change.before, "->", change.after)
for failure in plan.failures:
    print(failure.name, "could not be planned:", failure.summary)
for outcome in reconciler.apply(fleet, plan, observer=Told()):
    print(f"{outcome.name}: {outcome.kind.value} {outcome.summary}".strip())
