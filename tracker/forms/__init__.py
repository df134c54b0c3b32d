"""Forms: what a person typed, checked, and held against what somebody else saved meanwhile."""
