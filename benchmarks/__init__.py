"""Speed, as ratios in one run: against what people use instead, and against the floor."""
