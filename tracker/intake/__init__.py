"""Workbooks that come back: opened with care, read by headers and codes, compared, and landed whole or not at all."""
