"""The pytest plugin: imports pytest and typing only, everything else inside its fixtures."""
