#!/bin/bash
# Random operations, each compared with a model of the rules: see tests/random/README.md.
# KLP_TEST_STEPS and KLP_TEST_SEED say how many and which.
exec ../random/random
