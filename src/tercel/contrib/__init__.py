"""tercel inside of frameworks. Each package here needs the framework that it is named after."""
