"""Trees for the tests: random ones, one with everything, a link farm, planted defects."""
