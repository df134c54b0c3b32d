"""Forms: what a person typed, checked, and compared with what somebody else saved meanwhile."""
