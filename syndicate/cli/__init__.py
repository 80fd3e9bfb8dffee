"""The command line: parse, call, print. One file a command group; no rules of its own."""
