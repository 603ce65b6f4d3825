"""From a study to the units that it needs, stage by stage."""
