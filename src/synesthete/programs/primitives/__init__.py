"""The primitives: each file is loaded, each function is one word of the language."""
