"""The version: the build, the manifests of runs and their scripts read it here."""

__version__ = "0.2.0"
