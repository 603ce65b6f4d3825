"""What a predicted rate costs against the best one."""
