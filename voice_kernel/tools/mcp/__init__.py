"""MCP servers by voice: found in a registry, installed with consent, supervised, their tools usable."""
