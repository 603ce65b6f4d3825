"""The answers of a study, in sentences and matrices: made in one place, so that they agree."""
