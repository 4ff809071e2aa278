"""Tests of tags, masks, filters, keys, grants, information_schema and DESCRIBE."""
