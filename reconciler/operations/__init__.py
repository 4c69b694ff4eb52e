"""One verb a file: what each command does, over parts that are passed in."""
