"""Training data from graded answers: chosen, without repetitions, split so that nothing leaks, each line traced."""
