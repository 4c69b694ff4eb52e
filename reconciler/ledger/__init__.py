"""What was applied: records that only grow, the journal of what is under way, and one lease for each target."""
