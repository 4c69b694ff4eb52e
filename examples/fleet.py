"""Show what has drifted in a folder of auth documents, mend what is labelled tier=dev, and tell how it went."""

import reconciler


class Told(reconciler.Observer):
    """Prints what happens to each target."""

    def __call__(self, name: str, message: str) -> None:
        print(f"{name}: {message}")


everything = reconciler.plan(reconciler.load(["apps"], emulator=True))
for target in everything.planned:
    for change in target.changes:
        print(target.name, ".".join(change.path), change.before, "->", change.after)
for failure in everything.failures:
    print(failure.name, "could not be planned:", failure.summary)

development = reconciler.load(["apps"], emulator=True, selection=reconciler.Selection(labels=(("tier", "dev"),)))
for outcome in reconciler.apply(development, reconciler.plan(development), observer=Told()):
    print(outcome.name, outcome.kind.value, outcome.summary)
