"""What Spark needs from this machine before it can start: Java, jars, and a fast way up.

`python -m databricks_local.runtime` prepares all of it once; afterwards nothing here uses the
network.
"""
