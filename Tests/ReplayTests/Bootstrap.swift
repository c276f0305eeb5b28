// Bootstrapped.
