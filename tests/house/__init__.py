"""Tests of what surrounds the package: the example project, its server, the wheel, the commands to type."""
